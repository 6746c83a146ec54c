"""One business for all tests here, which lives through all their accidents: nothing is emptied in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio

from tests.end_to_end.world import OwnWorker
from tests.fixtures import own_worker, standing_worker  # noqa: F401  (found here)
from tests.money.book import Book
from tests.money.world import World, world


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def world_of_its_own() -> AsyncIterator[World]:
    """A world whose payment provider knows no other folder's charges, and whose vendor may be asked without a pause."""
    hurry = {"reconcile_vendor_per_second": 1000.0}
    async with world() as made:
        yield replace(made, settings=made.settings.model_copy(update=hurry))


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    kept = Book(world)
    yield kept
    await kept.close()
