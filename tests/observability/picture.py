"""Takes the picture of a subscription in the Temporal UI that the documentation shows.

    python -m tests.observability.picture [FILE]

On servers of its own, as `make up` starts them, with Debian's Chromium: a renewal that waits for money, after it was
cancelled and resumed. The portal opens for the page what the server keeps sealed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from domain.messages import State
from tests.architecture.source import ROOT
from tests.end_to_end.world import OwnWorker
from tests.money.book import Book
from tests.money.subscribed import Subscribed
from tests.money.world import world_of_make_up

PICTURE = ROOT / "docs" / "screenshots" / "temporal-ui.png"
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 20_000
HIGH, LOWER = ViewportSize(width=1500, height=1420), ViewportSize(width=1500, height=1100)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


async def waiting_for_money(book: Book) -> Subscribed:
    """A subscription whose renewal the bank has declined, after it was cancelled and resumed."""
    subscription = await book.subscription(addons=["Message Sniffer"])
    await subscription.customer.save_card(answers="insufficient_funds")
    await subscription.days_before_expiry(40)
    await subscription.handle.signal("cancel", {"by": "support:jo", "reason": "asked by telephone"})
    await subscription.handle.signal("resume", {"by": "support:jo"})
    await subscription.days_before_expiry(11)
    await subscription.until(State.COLLECTING)
    return subscription


async def taken(page: Page, ui_url: str, subscription: Subscribed, file: Path) -> str:
    """Open the subscription's page, photograph it and its timeline, and answer the text that a reader sees."""
    described = await subscription.handle.describe()
    workflow_id = subscription.workflow_id.replace("/", "%2F")
    file.parent.mkdir(parents=True, exist_ok=True)
    await page.goto(f"{ui_url}/namespaces/default/workflows/{workflow_id}/{described.run_id}/timeline")
    await page.get_by_text("wait for money until").first.wait_for(timeout=PATIENCE_MS)
    await page.screenshot(path=file.with_stem(f"{file.stem}-timeline"))
    await page.get_by_text("User Metadata", exact=True).click()
    framed = page.frame_locator(
        "#user-metadata-current-details"
    )  # what workflows write has a frame of its own
    await framed.get_by_text("Waits for money").first.wait_for(timeout=PATIENCE_MS)
    await page.set_viewport_size(LOWER)
    await page.screenshot(path=file)
    return await page.inner_text("body") + await framed.locator("body").first.inner_text()


async def photograph(file: Path) -> str:
    """Bring everything up, take the picture, answer its text."""
    async with world_of_make_up() as made, async_playwright() as playwright:
        worker, book = OwnWorker(made), Book(made)
        await worker.start()
        subscription = await waiting_for_money(book)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page(viewport=HIGH, locale="en-GB")
        text = await taken(page, made.stack.addresses.temporal_ui_url, subscription, file)
        await browser.close()
        await book.close()
        await worker.stop()
        return text


if __name__ == "__main__":
    asyncio.run(photograph(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE))
