"""Real servers for the whole session; an empty book and a running worker for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.end_to_end.world import OwnWorker, WorkerProgram
from tests.money.book import Book
from tests.money.world import World, world


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
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
async def worker_program(world: World, worker: OwnWorker) -> AsyncIterator[WorkerProgram]:
    """The real `python worker.py`, alone at work until it is killed."""
    await worker.stop()
    program = WorkerProgram(world)
    await program.start()
    yield program
    program.kill()
    await worker.start()


@pytest_asyncio.fixture(loop_scope="session")
async def book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    """Customers and what became of them; when the test is over every account must be right to the penny (R17)."""
    await world.empty()
    await world.deliver_webhooks()
    kept = Book(world)
    yield kept
    await kept.close()
