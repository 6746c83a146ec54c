"""Making one forecast, or two side by side: the book copied once, each run ahead on a scratch stack of its own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.progress import Progress

from commands.running import BadInput, Unreachable
from commands.screen import console, to_errors
from config import Settings
from db.session import engine_for
from domain import catalogue, foresight
from domain.catalogue import CatalogueError
from domain.foresight import Cost, no_cost
from forecast import snapshot
from forecast.assumptions import Assumptions
from forecast.events import Event, EventsNotUnderstood, read
from forecast.foreseen import Foreseen
from forecast.prices import PriceListNotUnderstood
from forecast.report import Report
from forecast.scratch import Scratch
from forecast.sight import Fill, Filled, Sight
from forecast.snapshot import DatabaseBehind
from sandbox.program import ProgramFailed


@dataclass(frozen=True)
class Wish:
    """What is to be forecast."""

    until: date
    what_if: Assumptions
    vendor_prices: Path | None
    updates_a_day: int
    events: tuple[Event, ...] = ()
    """What is known to be done on the way: both forecasts go by it."""


async def of_the_book(settings: Settings, wish: Wish) -> Report:
    """Forecast the live book. Raises BadInput, Unreachable."""
    async with copied(settings) as fill:
        return await reported(settings, wish, fill)


@asynccontextmanager
async def copied(settings: Settings) -> AsyncIterator[Fill]:
    """The live book, copied once; the live database is not needed after that."""
    with tempfile.TemporaryDirectory(prefix="evergreen-book-") as name:
        engine = engine_for(settings.database_url, pool_size=1, command_seconds=600)
        try:
            taken = await snapshot.take(engine, Path(name) / "book")
        except DatabaseBehind as behind:
            raise BadInput(str(behind)) from behind
        finally:
            await engine.dispose()

        async def fill(made: Scratch) -> Filled:
            await snapshot.put(taken, made.engine)
            return Filled(taken.at, taken.declined)

        yield fill


async def reported(settings: Settings, wish: Wish, fill: Fill) -> Report:
    """The plain forecast and, if anything is to differ, the other one. Raises BadInput, Unreachable."""
    with Progress(console=to_errors, transient=True, disable=console.quiet) as progress:
        plain = await _one(settings, Assumptions(), wish, fill, progress, "as it is set")
        what_if = None
        if not wish.what_if.plain:
            what_if = await _one(settings, wish.what_if, wish, fill, progress, "what if")
    report = Report(plain, what_if, _cost(wish.vendor_prices), wish.updates_a_day)
    for _name, seen in report.sides:
        if missing := foresight.unpriced(seen.happenings, report.cost):
            raise BadInput(f"{wish.vendor_prices} lacks prices: {'; '.join(missing[:5])}")
    return report


async def _one(
    settings: Settings, assumptions: Assumptions, wish: Wish, fill: Fill, progress: Progress, name: str
) -> Foreseen:
    task = progress.add_task(name, total=None)

    def tell(what: str, done: int, of: int) -> None:
        progress.update(task, description=f"{name}: {what}", completed=done, total=of or None)

    with tempfile.TemporaryDirectory(prefix="evergreen-prices-") as folder:
        try:
            return await Sight(settings, assumptions, wish.until, wish.events, tell).of(fill, Path(folder))
        except (CatalogueError, PriceListNotUnderstood, OSError) as wrong:
            raise BadInput(f"the price list cannot be used: {wrong}") from wrong
        except ProgramFailed as failed:
            raise Unreachable(f"the scratch stack does not come up: {failed}") from failed
        finally:
            progress.remove_task(task)


def events_of(path: Path | None) -> tuple[Event, ...]:
    """What a file says is done on the way. Raises BadInput."""
    if path is None:
        return ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read(lines)
    except (OSError, UnicodeDecodeError, EventsNotUnderstood) as wrong:
        raise BadInput(f"{path}: {wrong}") from wrong


def _cost(vendor_prices: Path | None) -> Cost:
    if vendor_prices is None:
        return no_cost
    try:
        return foresight.vendor_cost(catalogue.parse(vendor_prices.read_text(encoding="utf-8")))
    except (OSError, CatalogueError) as wrong:
        raise BadInput(f"{vendor_prices} cannot be used as the vendor's price list: {wrong}") from wrong
