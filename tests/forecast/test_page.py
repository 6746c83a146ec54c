"""The page of a forecast in a browser: light, dark and on paper."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright

from domain.foresight import Subject
from domain.happening import Happening, Kind
from forecast.foreseen import Foreseen
from forecast.report import Report

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
BEGAN = datetime(2027, 1, 4, 9, tzinfo=UTC)


def seen(card_minor: int, *assumptions: str) -> Foreseen:
    """Twelve renewals, a lapse, and a name that means harm."""
    subjects, happened = {}, []
    for number in range(12):
        on = date(2027, 1, 11) + timedelta(days=number * 17)
        subjects[f"sub_{number}"] = Subject(
            subscription_id=f"sub_{number}",
            license="SmarterMail Professional 250",
            last_four=f"{number:04}",
            customer_id=f"cus_{number}",
            customer="<script>alert(1)</script>" if number == 3 else f"Customer {number}",
            currency="GBP",
            state="active",
            auto_renew=True,
            by_hand=number % 2 == 0,
            expires_on=on + timedelta(days=14),
            cancel_by=on - timedelta(days=1),
            cancel_until=BEGAN + timedelta(days=10 + number * 17),
            renews_on=on,
        )
        paid = {
            "net_minor": card_minor,
            "tax_minor": card_minor // 5,
            "card_minor": card_minor,
            "credits_minor": 400,
        }
        promise = {"promise_on": on + timedelta(days=1), "expired_on": on + timedelta(days=14)}
        happened.append(
            Happening(on, f"sub_{number}", Kind.RENEWAL, f"cus_{number}", "GBP", **paid, **promise)
            if number
            else Happening(on, "sub_0", Kind.LAPSE, "cus_0", "GBP", reason="NoCard")
        )
    return Foreseen(
        BEGAN, date(2027, 12, 31), assumptions, subjects, tuple(happened), {}, {("cus_1", "GBP"): 900}
    )


async def test_the_page_reads_well_in_light_and_in_dark_and_prints(tmp_path):
    """Nothing is loaded, no script runs, no rule of accessibility is broken, the contrast is enough."""
    Report(seen(216_00), seen(228_00, "loyalty rate of 5%")).write(tmp_path / "out")
    page_file = tmp_path / "out" / "forecast.html"
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = await browser.new_page(color_scheme="light", viewport={"width": 1200, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append("a dialog"))
        await page.goto(page_file.as_uri())

        await _check_accessible(page)
        await page.emulate_media(color_scheme="dark")
        await _check_accessible(page)
        assert asked == [page_file.as_uri()]
        assert await page.get_by_text("<script>alert(1)</script>").count()
        assert await page.locator("svg").count() == 4
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.set_viewport_size({"width": 390, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        printed = await page.pdf()
        assert printed.startswith(b"%PDF")
        await browser.close()


async def _check_accessible(page: Page) -> None:
    found = (await Axe().run(page)).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
