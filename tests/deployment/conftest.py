"""The stack of `make up` for the session; an empty book and a running worker for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.commands.program import CommandLine as Program
from tests.end_to_end.command_line import CommandLine
from tests.fixtures import own_worker, tests_book, tests_worker  # noqa: F401  (found here)
from tests.money.world import World, world_of_make_up


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    async with world_of_make_up() as made:
        yield made


@pytest.fixture
def evergreen(world: World, tmp_path: Path) -> Program:
    """Our command line, on the world."""
    return Program(tmp_path, dict(world.variables))


@pytest.fixture(scope="package")
def temporal(world: World) -> CommandLine:
    """Temporal's command line: `await temporal("workflow", "signal", …)`."""
    return CommandLine(world.stack.addresses)
