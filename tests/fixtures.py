"""Fixtures that several folders of tests share: a folder's conftest.py imports those that it wants.

Servers live as long as the process; a folder's tests begin on an empty world, and an empty book and a running worker
are made for each test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.end_to_end.world import OwnWorker
from tests.money.book import Book
from tests.money.world import World


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def empty_world(one_world: World) -> World:
    """The world with portal and payment provider, as if nobody had been there."""
    await one_world.deserted()
    return one_world


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def own_worker(world: World) -> AsyncIterator[OwnWorker]:
    """A worker in this process, not started yet."""
    own = OwnWorker(world)
    yield own
    await own.stop()


@pytest_asyncio.fixture(loop_scope="session", name="worker")
async def tests_worker(own_worker: OwnWorker) -> OwnWorker:
    """A worker that runs when the test begins; tests stop and start it."""
    await own_worker.start()
    return own_worker


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="worker")
async def standing_worker(own_worker: OwnWorker) -> OwnWorker:
    """A worker that runs all the time."""
    await own_worker.start()
    return own_worker


@pytest_asyncio.fixture(loop_scope="session", name="book")
async def tests_book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    """Customers and what became of them; when the test is over every account must be right to the penny (R17)."""
    await world.empty()
    await world.deliver_webhooks()
    kept = Book(world)
    yield kept
    await worker.start()
    await kept.close()
