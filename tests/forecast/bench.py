"""Servers that are up already, for one small forecast after another: each is filled from a file, under ids of its own.

The command has servers of its own for each forecast, and a worker that is a program: `test_agreement` runs it. What a
what-if changes does not depend on that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from commands.license_files import checked_file
from commands.rehearsal import Rehearsal
from config import Settings
from forecast import surroundings
from forecast.assumptions import Assumptions
from forecast.foreseen import Foreseen
from forecast.scratch import Scratch
from forecast.sight import Sight
from tests.commands.book import today, write
from tests.end_to_end.world import OwnWorker, World


@dataclass
class _Stand(Scratch):
    """Servers of a test's world, with a worker in this process that goes by the rules of the forecast."""

    worker: OwnWorker = field(kw_only=True)

    async def work(self) -> None:
        await self.worker.start()


@dataclass(frozen=True)
class Bench:
    """Foresees the rows of one file, each time anew; no worker of the world itself runs meanwhile.

    Each customer has one license; both are known by the customer's name, as ids are others each time.
    """

    world: World
    folder: Path
    rows: Sequence[dict[str, str]]

    async def foresees(self, name: str, assumptions: Assumptions, until: date) -> Foreseen:
        """The rows forecast to the day under the assumptions."""
        settings, folder = self.world.settings, self.folder / name
        folder.mkdir()
        file = write(folder / "book.csv", self.rows)
        rehearsal = Rehearsal(checked_file(file, settings, today(), show=False), settings.key_ring())
        sight = Sight(settings, assumptions, until, stack=self._stand)
        return _by_name(await sight.of(rehearsal.fill, folder))

    @asynccontextmanager
    async def _stand(self, rules: Settings) -> AsyncIterator[Scratch]:
        world = self.world
        await world.empty()
        told = surroundings.variables(world.folder, world.stack.addresses, rules)
        settings = surroundings.settings(told)
        worker = OwnWorker(replace(world, settings=settings))
        try:
            yield _Stand(world.folder, world.stack, told, settings, world.engine, world.client, worker=worker)
        finally:
            await worker.stop()


def _by_name(seen: Foreseen) -> Foreseen:
    subjects = {
        one.customer: replace(one, subscription_id=one.customer, customer_id=one.customer)
        for one in seen.subjects.values()
    }
    names = {one.customer_id: one.customer for one in seen.subjects.values()}
    happened = (
        replace(one, subscription_id=names[one.customer_id], customer_id=names[one.customer_id])
        for one in seen.happenings
    )
    now, left = (
        {(names[customer_id], currency): minor for (customer_id, currency), minor in credits.items()}
        for credits in (seen.credits_now, seen.credits_left)
    )
    return replace(seen, subjects=subjects, happenings=tuple(happened), credits_now=now, credits_left=left)
