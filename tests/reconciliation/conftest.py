"""One business for all tests here, which lives through all their accidents: nothing is emptied in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.end_to_end.world import OwnWorker
from tests.fixtures import empty_world, own_worker, standing_worker  # noqa: F401  (found here)
from tests.money.book import Book
from tests.money.world import World


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    kept = Book(world)
    yield kept
    await kept.close()
