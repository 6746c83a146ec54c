"""The Temporal UI as `make up` starts it: a subscription's page can be read, although the server keeps it sealed."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from playwright.async_api import Page, async_playwright, expect

from commands.stack import stack_up
from sandbox.stack import RunningStack
from tests.commands.program import CommandLine
from tests.end_to_end.dates import coming

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
            yield await browser.new_page(viewport={"width": 1400, "height": 1500}, locale="en-GB")
        finally:
            await browser.close()


async def subscription(up: RunningStack, evergreen: CommandLine, folder: Path) -> str:
    """One license, imported with the command line; its subscription's id."""
    facts = {"product": "SmarterMail", "edition": "Professional", "size": "250", "addons": []}
    license = facts | {"license_key": "SMMP-TEMPORAL-UI-7K2P", "expires_on": str(coming(8, 31))}
    token = {"Authorization": f"Bearer {up.addresses.token.get_secret_value()}"}
    async with httpx.AsyncClient(base_url=up.addresses.urls["vendor"], trust_env=False) as vendor:
        (await vendor.post("/sandbox/licenses", json=[license], headers=token)).raise_for_status()
    whose = {"customer_email": "ann@example.com", "customer_name": "Ann", "country": "GB", "currency": "GBP"}
    file = folder / "one.jsonl"
    file.write_text(json.dumps(whose | license), encoding="utf-8")
    taken = await evergreen("import", str(file), "--json")
    assert taken.code == 0, taken.said
    [listed] = (await evergreen("list", "--json")).json
    return str(listed["subscription"])


async def test_a_subscription_reads_like_a_page_in_the_temporal_ui(tmp_path: Path):
    """Summary, current details, what it was started with and what it waits for, opened by the codec's door."""
    with TemporaryDirectory(prefix="evergreen-") as name:
        folder = Path(name).resolve()
        async with stack_up(folder, fast=True) as up, browser_page() as page:
            evergreen = CommandLine(tmp_path, {"EVERGREEN_FOLDER": str(folder)})
            subscription_id = await subscription(up, evergreen, tmp_path)
            where = f"{up.addresses.temporal_ui_url}/namespaces/default/workflows/subscription%2F{subscription_id}"
            await page.goto(where)
            for words in ("reminder 60 days before expiry", "SmarterMail", "anchor_day"):
                await expect(page.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)
            if SHOTS:
                await page.screenshot(path=Path(SHOTS) / "temporal-ui.png", full_page=True)
