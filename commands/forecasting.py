"""Making one forecast, or two side by side: the book copied once, each run ahead on a scratch stack of its own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial, reduce
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
from forecast.snapshot import AT_A_TIME, DatabaseBehind, Snapshot
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
    at_a_time: int = AT_A_TIME


async def of_the_book(settings: Settings, wish: Wish) -> Report:
    """Forecast the live book. Raises BadInput, Unreachable."""
    async with copied(settings, wish.at_a_time) as pieces:
        return await reported(settings, wish, pieces)


@asynccontextmanager
async def copied(settings: Settings, at_a_time: int) -> AsyncIterator[list[Fill]]:
    """The live book, copied once, in pieces; the live database is not needed after that."""
    with tempfile.TemporaryDirectory(prefix="evergreen-book-") as name:
        engine = engine_for(settings.database_url, pool_size=1, command_seconds=600)
        try:
            taken = await snapshot.take(engine, Path(name) / "book", at_a_time)
        except DatabaseBehind as behind:
            raise BadInput(str(behind)) from behind
        finally:
            await engine.dispose()

        async def fill(piece: Snapshot, made: Scratch) -> Filled:
            await snapshot.put(piece, made.engine)
            return Filled(piece.at, piece.declined)

        yield [partial(fill, piece) for piece in taken]


async def reported(settings: Settings, wish: Wish, pieces: Sequence[Fill]) -> Report:
    """The plain forecast and, if anything is to differ, the other one. Raises BadInput, Unreachable."""
    with Progress(console=to_errors, transient=True, disable=console.quiet) as progress:
        plain = await _one(settings, Assumptions(), wish, pieces, progress, "as it is set")
        what_if = None
        if not wish.what_if.plain:
            what_if = await _one(settings, wish.what_if, wish, pieces, progress, "what if")
    report = Report(plain, what_if, _cost(wish.vendor_prices), wish.updates_a_day)
    for _name, seen in report.sides:
        if missing := foresight.unpriced(seen.happenings, report.cost):
            raise BadInput(f"{wish.vendor_prices} lacks prices: {'; '.join(missing[:5])}")
    return report


async def _one(
    settings: Settings,
    assumptions: Assumptions,
    wish: Wish,
    pieces: Sequence[Fill],
    progress: Progress,
    name: str,
) -> Foreseen:
    """Piece by piece, each on a scratch stack of its own, so that memory does not grow with the book."""
    task = progress.add_task(name, total=None)

    def tell(what: str, done: int, of: int) -> None:
        progress.update(task, description=f"{name}: {what}", completed=done, total=of or None)

    with tempfile.TemporaryDirectory(prefix="evergreen-prices-") as folder:
        try:
            seen = [
                await Sight(settings, assumptions, wish.until, wish.events, tell).of(fill, Path(folder))
                for fill in pieces
            ]
            return _without_events_about_nobody(reduce(Foreseen.plus, seen), wish)
        except (CatalogueError, PriceListNotUnderstood, OSError) as wrong:
            raise BadInput(f"the price list cannot be used: {wrong}") from wrong
        except ProgramFailed as failed:
            raise Unreachable(f"the scratch stack does not come up: {failed}") from failed
        finally:
            progress.remove_task(task)


def _without_events_about_nobody(seen: Foreseen, wish: Wish) -> Foreseen:
    unknown = [event for event in wish.events if event.subscription_id not in seen.subjects]
    told = tuple(f"{event}: no such subscription is foreseen" for event in unknown)
    return replace(seen, problems=seen.problems + told)


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
