"""A real browser: Debian's Chromium, as `.ci/chromium` installs it, driven by Playwright."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = (360, 740), (1180, 860)
"""Width and height in CSS pixels."""


@dataclass(frozen=True)
class Chromium:
    """One browser process; each `page` is a browser of its own, with nothing in it."""

    browser: Browser
    portal: str

    @asynccontextmanager
    async def page(
        self,
        scripts: bool = True,
        size: tuple[int, int] = DESK,
        scheme: Literal["light", "dark"] = "light",
    ) -> AsyncIterator[Page]:
        """A page on the portal. What goes wrong in it (a refused script, a failed request) fails the test."""
        context = await self.browser.new_context(
            base_url=self.portal,
            java_script_enabled=scripts,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce",  # colors are themselves at once
        )
        context.set_default_timeout(15_000)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda failed: complaints.append(str(failed)))
        try:
            yield page
        finally:
            await context.close()
        assert not [said for said in complaints if "status of" not in said], complaints


@asynccontextmanager
async def chromium(portal: str) -> AsyncIterator[Chromium]:
    """The browser. Playwright's own download is not needed."""
    if not Path(EXECUTABLE).exists():
        raise FileNotFoundError(f"{EXECUTABLE} is missing: run .ci/chromium, or `make test`, which does")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=list(ARGUMENTS))
        yield Chromium(browser, portal)
        await browser.close()
