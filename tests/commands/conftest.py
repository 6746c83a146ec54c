"""A whole stack on a folder of its own: real PostgreSQL, real Temporal, the vendor's program, a real worker.

One for all tests here, so each brings licenses and customers of its own. Ports are any free ones.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import connection
from commands.stack import migrate
from db.session import engine_for, sessions_for
from sandbox.environment import environment
from sandbox.stack import WORKER, RunningStack, Stack
from sandbox.virtual_time import VirtualTime
from sealing.keys import Keys
from tests.commands.program import CommandLine


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """The stack's folder; not in pytest's own, which another user's server may not enter."""
    with TemporaryDirectory(prefix="evergreen-") as made:
        yield Path(made).resolve()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stack(folder: Path) -> AsyncIterator[RunningStack]:
    wanted = Stack(
        folder,
        search_attributes=connection.search_attribute_types(),
        time_skipping=True,
        fast=True,
        any_ports=True,
    )
    async with wanted.up() as up:
        await migrate(up.addresses.database_url)
        await up.run(WORKER, env=environment(folder, up.addresses))
        yield up


@pytest.fixture(scope="package")
def variables(stack: RunningStack, folder: Path) -> dict[str, str]:
    """What the stack tells a program by its environment."""
    return environment(folder, stack.addresses)


@pytest.fixture(scope="package")
def evergreen(stack: RunningStack, folder: Path) -> CommandLine:
    """The command line; it finds the stack by its folder."""
    return CommandLine(folder, {"EVERGREEN_FOLDER": str(folder)})


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def sessions(stack: RunningStack) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = engine_for(stack.addresses.database_url)
    yield sessions_for(engine)
    await engine.dispose()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def temporal(stack: RunningStack, variables: dict[str, str]) -> Client:
    addresses = stack.addresses
    return await Client.connect(
        addresses.temporal_address,
        namespace=addresses.temporal_namespace,
        data_converter=connection.converter(Keys.parse(variables["EVERGREEN_CODEC_KEYS"])),
    )


@pytest.fixture(scope="package")
def clocks(temporal: Client) -> VirtualTime:
    """The clocks of the workflows: a test may let time pass for its own."""
    return VirtualTime(temporal)
