"""Real servers for the whole session; an empty shop and a running worker for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.money import world as money
from tests.orders.shop import Shop
from tests.orders.world import OwnWorker, World, world


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world(one_world: money.World) -> AsyncIterator[World]:
    await one_world.deserted()
    async with world(one_world) as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def _own_worker(world: World) -> AsyncIterator[OwnWorker]:
    own = OwnWorker(world)
    yield own
    await own.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def worker(_own_worker: OwnWorker) -> OwnWorker:
    """A worker with the usual prices when the test begins; tests stop it, or start it with other prices."""
    await _own_worker.start()
    return _own_worker


@pytest_asyncio.fixture(loop_scope="session")
async def shop(world: World, worker: OwnWorker) -> AsyncIterator[Shop]:
    await world.empty()
    opened = Shop(world)
    yield opened
    await opened.close()
