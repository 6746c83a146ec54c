"""One business for all tests here, which lives through all their accidents: nothing is emptied in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.end_to_end.world import OwnWorker
from tests.money.book import Book
from tests.money.world import World, world


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def worker(world: World) -> AsyncIterator[OwnWorker]:
    own = OwnWorker(world)
    await own.start()
    yield own
    await own.stop()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    kept = Book(world)
    yield kept
    await kept.close()
