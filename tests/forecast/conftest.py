"""A real stack with a worker for the session; a book of its own for each test, and what was foreseen of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.end_to_end.world import OwnWorker, World
from tests.fixtures import empty_world, own_worker, standing_worker  # noqa: F401  (found here)
from tests.forecast.bench import Bench
from tests.forecast.book import LiveBook


@pytest_asyncio.fixture(loop_scope="session")
async def bench(world: World, worker: OwnWorker) -> AsyncIterator[Bench]:
    """The world's servers without its worker, and without rows; a test brings them."""
    await worker.stop()
    yield Bench(world, world.folder, ())
    await worker.start()


@pytest_asyncio.fixture(loop_scope="session")
async def live(world: World, worker: OwnWorker) -> AsyncIterator[LiveBook]:
    """An empty book."""
    await world.empty()
    yield LiveBook(world)
    async for one in world.client.list_workflows("ExecutionStatus = 'Running'"):
        await world.client.get_workflow_handle(one.id).terminate("the test is over")
