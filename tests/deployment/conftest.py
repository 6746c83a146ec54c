"""The stack of `make up` for the session; an empty book and a running worker for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from commands.stack import stack_up
from tests.commands.program import CommandLine as Program
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.world import FAST_PLACE, world_on
from tests.fixtures import own_worker, tests_book, tests_worker  # noqa: F401  (found here)
from tests.money.world import World, with_money


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    """The stack of `make up` with clocks that can be moved; its worker stopped, as tests bring their own."""
    with TemporaryDirectory(prefix="evergreen-", dir=FAST_PLACE) as name:
        folder = Path(name).resolve()
        async with (
            stack_up(folder, time_skipping=True, fast=True) as up,
            world_on(up, folder, identity="tests") as bare,
            with_money(bare) as made,
        ):
            await up.programs["worker"].stop()
            yield made


@pytest.fixture
def evergreen(world: World, tmp_path: Path) -> Program:
    """Our command line, on the world."""
    return Program(tmp_path, dict(world.variables))


@pytest.fixture(scope="package")
def temporal(world: World) -> CommandLine:
    """Temporal's command line: `await temporal("workflow", "signal", …)`."""
    return CommandLine(world.stack.addresses)
