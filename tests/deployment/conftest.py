"""Real servers for the session, with portal and payment provider; an empty book and a running worker for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.commands.program import CommandLine as Program
from tests.end_to_end.command_line import CommandLine
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
    """Customers and what became of them; when the test is over every account must be right to the penny (R17)."""
    await world.empty()
    await world.deliver_webhooks()
    kept = Book(world)
    yield kept
    await worker.start()
    await kept.close()


@pytest.fixture
def evergreen(world: World, tmp_path: Path) -> Program:
    """Our command line, on the world."""
    return Program(tmp_path, dict(world.variables))


@pytest.fixture(scope="session")
def temporal(world: World) -> CommandLine:
    """Temporal's command line: `await temporal("workflow", "signal", …)`."""
    return CommandLine(world.stack.addresses)
