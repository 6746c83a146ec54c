"""One world for the whole session, with portal and payment provider, and a worker in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.end_to_end.world import OwnWorker
from tests.money.world import World, world


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def worker(world: World) -> AsyncIterator[OwnWorker]:
    """A worker that runs all the time."""
    own = OwnWorker(world)
    await own.start()
    yield own
    await own.stop()
