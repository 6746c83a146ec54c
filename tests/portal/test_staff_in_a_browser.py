"""Staff's main flows in a real browser, and how every page of theirs is made."""

from __future__ import annotations

from tests.portal.chromium import PHONE
from tests.portal.staff_gallery import staff_pages
from tests.portal.test_in_a_browser import WAYS, faults
from tests.portal.test_staff_imports import BAD
from tests.portal.visitor import OPS, SUPPORT


async def come_in(page, visitor, email):
    await page.goto(await visitor.link(email))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Overview").wait_for()


@WAYS
async def test_support_finds_a_customer_and_cancels_on_their_behalf(book, somebody, browsers, scripts, size):
    subscribed = await book.subscription(book.customer("GB"))
    async with browsers.page(scripts, size) as page:
        await come_in(page, somebody, SUPPORT)
        await page.get_by_role("searchbox").fill(subscribed.customer.email)
        await page.get_by_role("button", name="Search").click()
        await page.get_by_role("link", name="SmarterMail Professional 250").click()
        await page.get_by_role("link", name="Cancel on behalf").click()
        await page.get_by_label("Why, and how did they ask?").fill("asked by phone")
        await page.get_by_role("button", name="Cancel on behalf").dblclick()
        await page.get_by_text("The renewal is cancelled.").first.wait_for()
        await page.get_by_text("asked by phone").first.wait_for()


@WAYS
async def test_an_import_with_a_bad_row_is_mended_and_followed(book, somebody, browsers, scripts, size):
    async with browsers.page(scripts, size) as page:
        await come_in(page, somebody, SUPPORT)
        await page.goto("/staff/imports")
        sent = {"name": "licenses.csv", "mimeType": "text/csv", "buffer": BAD}
        await page.get_by_label("A file of licenses").set_input_files(sent)  # type: ignore[arg-type]
        await page.get_by_label("What is it, and why?").fill("the move")
        await page.get_by_role("button", name="Send the file").click()
        await page.get_by_text("Nothing was taken.").wait_for()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download them as CSV").click()
        assert "999" in (await (await download.value).path()).read_text()
        await page.get_by_role("link", name="Send a file again").click()
        mended = sent | {"buffer": BAD.replace(b",999,", b",250,")}
        await page.get_by_label("A file of licenses").set_input_files(mended)  # type: ignore[arg-type]
        await page.get_by_label("Import it, if every row is good").check()
        await page.get_by_label("What is it, and why?").fill("the move")
        await page.get_by_role("button", name="Send the file").click()
        await page.get_by_text("All 2 are looked after.").wait_for()


async def test_every_page_of_staff_is_fit_for_everybody_and_for_a_phone(world, book, somebody, browsers):
    """axe finds nothing serious, light or dark; at a phone's width nothing has to be scrolled sideways."""
    paths = await staff_pages(world, book)
    async with browsers.page(size=PHONE) as page:
        await come_in(page, somebody, OPS)
        found = {path: await faults(page, path) for path in paths.values()}

    assert not {path: wrong for path, wrong in found.items() if wrong}
