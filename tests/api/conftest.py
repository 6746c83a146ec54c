"""The real portal on real servers for the whole session; an empty book, a worker and programs for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.api.program import Program, program_with
from tests.end_to_end.world import OwnWorker
from tests.money.book import Book
from tests.money.world import World, world


@pytest_asyncio.fixture(scope="session", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _own_worker(world: World) -> AsyncIterator[OwnWorker]:
    own = OwnWorker(world)
    yield own
    await own.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def worker(_own_worker: OwnWorker) -> OwnWorker:
    """A worker that runs when the test begins; tests stop and start it."""
    await _own_worker.start()
    return _own_worker


@pytest_asyncio.fixture(loop_scope="session")
async def book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    """Customers and their subscriptions; the accounts are checked at the end (R17)."""
    await world.empty()
    await world.deliver_webhooks()
    kept = Book(world)
    yield kept
    await worker.start()
    await kept.close()


@pytest_asyncio.fixture(loop_scope="session")
async def billing(world: World, book: Book) -> AsyncIterator[Program]:
    """A program that may do everything."""
    async with program_with(world) as program:
        yield program
