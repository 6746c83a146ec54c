"""Real servers for the whole session; an empty book and a running worker for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.end_to_end.world import OwnWorker, WorkerProgram
from tests.fixtures import empty_world, own_worker, tests_book, tests_worker  # noqa: F401  (found here)
from tests.money.world import World


@pytest_asyncio.fixture(loop_scope="session")
async def worker_program(world: World, worker: OwnWorker) -> AsyncIterator[WorkerProgram]:
    """The real `python worker.py`, alone at work until it is killed."""
    await worker.stop()
    program = WorkerProgram(world)
    await program.start()
    yield program
    program.kill()
    await worker.start()
