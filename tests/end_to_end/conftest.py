"""Real servers for the whole session; an empty book and a running worker for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.end_to_end.book import Book
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.world import OwnWorker, WorkerProgram, World
from tests.fixtures import empty_world, own_worker, tests_worker  # noqa: F401  (found here)


@pytest.fixture
def worker_program(world: World) -> Iterator[WorkerProgram]:
    """The real `python worker.py`, to be started and killed."""
    program = WorkerProgram(world)
    yield program
    program.kill()


@pytest.fixture(scope="package")
def typed(world: World) -> CommandLine:
    """What a person types: `await typed("workflow", "signal", …)`."""
    return CommandLine(world.stack.addresses)


@pytest_asyncio.fixture(loop_scope="session")
async def book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    await world.empty()
    kept = Book(world)
    yield kept
    await worker.start()
    await kept.close()
