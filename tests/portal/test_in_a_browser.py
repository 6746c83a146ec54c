"""The main flows in a real browser: with and without scripts, at a desk and on a phone; and how every page is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.eventually import eventually
from tests.portal.chromium import DESK, PHONE
from tests.portal.doings import ADDON
from tests.portal.gallery import pages

WAYS = pytest.mark.parametrize(
    ("scripts", "size"), [(True, DESK), (False, PHONE)], ids=["scripts-desk", "no-scripts-phone"]
)


async def sign_in(page, visitor, email):
    await page.goto(await visitor.link(email))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Credits").wait_for()


@WAYS
async def test_signing_in_adding_an_addon_and_paying_with_a_new_card(book, somebody, browsers, scripts, size):
    customer = book.customer("GB")
    subscribed = await book.subscription(customer)
    async with browsers.page(scripts, size) as page:
        await sign_in(page, somebody, customer.email)
        await page.get_by_role("link", name="SmarterMail Professional 250").click()
        await page.get_by_role("link", name="Add Addons").click()
        await page.get_by_label(ADDON).check()
        await page.get_by_role("button", name="Show the quote").click()
        await page.get_by_role("button", name="Save a card").click()
        await page.get_by_role("button", name="Save card").click()
        await page.get_by_text("Your card is saved.").wait_for()
        await page.get_by_role("button", name="Pay £").click()
        await page.get_by_text("Thank you, it is paid.").wait_for()

        async def done():
            return ADDON in (await subscribed.row()).license.addons

        await eventually(done, "the add-on is on the license")
        if not scripts:
            await page.reload()
        await page.get_by_text("Done.").wait_for()


@WAYS
async def test_cancelling_and_undoing_it(book, somebody, browsers, scripts, size):
    customer = book.customer("GB")
    await book.subscription(customer)
    async with browsers.page(scripts, size) as page:
        await sign_in(page, somebody, customer.email)
        await page.get_by_role("link", name="SmarterMail Professional 250").click()
        await page.get_by_role("link", name="Cancel Subscription").click()
        await page.get_by_role("button", name="Cancel Subscription").dblclick()
        await page.get_by_text("The renewal is cancelled.").first.wait_for()
        await page.get_by_role("link", name="Resume Subscription").click()
        await page.get_by_role("button", name="Resume Subscription").click()
        await page.get_by_text("Auto-renewal is on again").first.wait_for()


@WAYS
async def test_too_late_to_cancel(book, somebody, browsers, scripts, size):
    customer = book.customer("GB")
    subscribed = await book.subscription(customer, expires_on=datetime.now(UTC).date() + timedelta(days=10))

    async def due():
        return (await subscribed.row()).subscription.state == "collecting"

    await eventually(due, "the renewal waits for money")
    async with browsers.page(scripts, size) as page:
        await sign_in(page, somebody, customer.email)
        await page.goto(f"/subscriptions/{subscribed.id}")
        await page.get_by_role("link", name="Cancel Subscription").click()
        await page.get_by_role("heading", name="It is too late to stop this renewal").wait_for()
        await page.get_by_role("button", name="Cancel after the next term").click()
        await page.get_by_text("The cancellation is kept").first.wait_for()


@WAYS
async def test_the_request_form_by_keyboard_alone(book, somebody, browsers, scripts, size):
    customer = book.customer("GB")
    await book.subscription(customer)
    async with browsers.page(scripts, size) as page:
        await sign_in(page, somebody, customer.email)
        await page.goto("/requests/new")
        await page.get_by_label("Something else").focus()
        await page.keyboard.press("Space")
        await page.get_by_label("Anything else").focus()
        await page.keyboard.type("Can you call me?")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_text("your request is with our staff").wait_for()


async def test_every_page_is_fit_for_everybody_in_light_and_dark_and_on_a_phone(
    world, book, somebody, browsers
):
    """axe finds nothing serious; at a phone's width nothing has to be scrolled sideways."""
    email, paths = await pages(world, book)
    async with browsers.page(size=PHONE) as page:
        found = {}
        for path in ("/api/v1/docs", "/sign-in", await somebody.link(email)):
            found[path] = await faults(page, path)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("link", name="Credits").wait_for()
        for path in paths.values():
            found[path] = await faults(page, path)

    assert len(found) > 20
    assert not {path: wrong for path, wrong in found.items() if wrong}


async def faults(page, path):
    await page.emulate_media(color_scheme="light")
    await page.goto(path)
    wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    found = await serious(page)
    await page.emulate_media(color_scheme="dark")
    found += await serious(page, {"runOnly": ["color-contrast"]})
    return found + (["it is wider than the screen"] if wide and not path.endswith("/paper") else [])


async def serious(page, options=None):
    result = await Axe().run(page, options=options)
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}"
        for each in result.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
