"""The Temporal UI as `make up` starts it: a subscription's page can be read, although the server keeps it sealed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from tests.money.book import Book
from tests.money.world import World

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PATIENCE_MS = 20_000
SHOTS = os.environ.get("EVERGREEN_SCREENSHOTS")
"""Where to leave a picture, to be looked at; nowhere by default."""


@asynccontextmanager
async def browser_page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield await browser.new_page(viewport={"width": 1400, "height": 1050}, locale="en-GB")
        finally:
            await browser.close()


async def test_a_subscription_reads_like_a_page_in_the_temporal_ui(book: Book, world: World):
    """What it was started with, its summary, its current details and what it waits for, opened by the codec's door."""
    license = await book.subscription()
    ui = world.stack.addresses.temporal_ui_url
    async with browser_page() as page:
        await page.goto(f"{ui}/namespaces/default/workflows/{license.workflow_id.replace('/', '%2F')}")
        await seen(page, "reminder 60 days before expiry", "SmarterMail Professional 250", "anchor_day")
        await kept(page, "temporal-ui.png")
        await page.get_by_role("tab", name="User Metadata").click()
        framed = page.frame_locator("iframe")  # the UI shows Markdown in frames
        for number, words in enumerate(("renewed for cus_", "can be cancelled through")):
            await expect(framed.nth(number).get_by_text(words)).to_be_visible(timeout=PATIENCE_MS)
        await kept(page, "temporal-ui-details.png")


async def seen(page: Page, *texts: str) -> None:
    """Wait until the page shows all of them."""
    for words in texts:
        await expect(page.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)


async def kept(page: Page, name: str) -> None:
    """Leave a picture, where they are wanted."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / name, full_page=True)
