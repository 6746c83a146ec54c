"""Pictures of the main pages for docs/screenshots/: `python -m tests.portal.screenshots`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.end_to_end.world import OwnWorker
from tests.money.book import Book
from tests.money.world import World, world
from tests.portal.chromium import DESK, PHONE, chromium
from tests.portal.gallery import pages
from tests.portal.staff_gallery import staff_pages
from tests.portal.visitor import SUPPORT, visitor

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
MAIN = 9
"""So many of the gallery's pages are shown."""
STAFF_MAIN = 7


async def main(folder: Path) -> None:
    """Write the pictures: all at a desk in light, some on a phone in dark."""
    folder.mkdir(parents=True, exist_ok=True)
    async with world() as made:
        worker = OwnWorker(made)
        await worker.start()
        await made.deliver_webhooks()
        book = Book(made)
        email, paths = await pages(made, book)
        shown = list(paths.items())[:MAIN]
        async with visitor(made) as somebody, chromium(made.portal) as browsers:
            for scheme, size, names in (
                ("light", DESK, dict(shown)),
                ("dark", PHONE, dict(shown[:4])),
            ):
                async with browsers.page(scripts=False, size=size, scheme=scheme) as page:  # type: ignore[arg-type]
                    await page.goto("/sign-in")
                    await page.screenshot(path=folder / f"sign-in-{scheme}.png")
                    await page.goto(await somebody.link(email))
                    await page.get_by_role("button", name="Sign in").click()
                    for name, path in names.items():
                        await page.goto(path)
                        await page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
        await book.close()
        await made.empty()
        await staff_pictures(made, Book(made), folder)
        await worker.stop()


async def staff_pictures(made: World, book: Book, folder: Path) -> None:
    """Staff's main pages, at a desk in light, the first two in dark."""
    paths = list((await staff_pages(made, book)).items())[:STAFF_MAIN]
    async with visitor(made) as somebody, chromium(made.portal) as browsers:
        for scheme, names in (("light", dict(paths)), ("dark", dict(paths[:2]))):
            async with browsers.page(scripts=False, size=DESK, scheme=scheme) as page:  # type: ignore[arg-type]
                await page.goto(await somebody.link(SUPPORT))
                await page.get_by_role("button", name="Sign in").click()
                for name, path in names.items():
                    await page.goto(path)
                    await page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
    await book.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
