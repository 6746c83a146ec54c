"""The world of the end-to-end tests: the embedded stack with clocks that can be moved, and workers that come and go."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.service import RPCError

import connection
import worker
from config import Settings
from db import schema
from db.session import engine_for, sessions_for
from sandbox.environment import environment
from sandbox.program import Program
from sandbox.stack import WORKER, RunningStack, Stack
from sandbox.virtual_time import VirtualTime
from tests.db.conftest import EMPTY
from tests.vendor.running import SandboxVendor
from vendor.http import HttpVendor

MEMORY = Path("/dev/shm")
FAST_PLACE = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**30 else None
"""Where the servers keep their data; None for the usual place."""


@dataclass
class World:
    """A running stack, and the ways to it that tests and programs use."""

    folder: Path
    stack: RunningStack
    variables: Mapping[str, str]
    settings: Settings
    engine: AsyncEngine
    client: Client
    clocks: VirtualTime
    vendor: SandboxVendor

    @property
    def sessions(self) -> async_sessionmaker[AsyncSession]:
        """Sessions of the test's own, beside those of the workers."""
        return sessions_for(self.engine)

    async def empty(self) -> None:
        """Forget all rows and the vendor's troubles."""
        await emptied(self.engine)
        self.vendor.control("DELETE", "/sandbox/faults")

    async def deserted(self) -> None:
        """No workflow runs any more, and there is nothing in the tables."""
        async for one in self.client.list_workflows("ExecutionStatus = 'Running'"):
            with suppress(RPCError):  # it has ended meanwhile
                await self.client.get_workflow_handle(one.id).terminate("another folder's tests begin")
        await self.empty()

    @asynccontextmanager
    async def locked(self, statement: str) -> AsyncIterator[None]:
        """Hold the lock that a statement takes, and let go of it again without a trace."""
        async with self.sessions() as session:
            await session.execute(text(statement))
            yield
            await session.rollback()

    async def waits_for_a_lock(self, table: str) -> bool:
        """Whether a statement about the table waits for a lock."""
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE :about"
        )
        async with self.sessions() as session:
            return bool(await session.scalar(waiting, {"about": f"%{table}%"}))


async def emptied(engine: AsyncEngine) -> None:
    """Forget all rows."""
    for attempt in count(1):
        try:
            async with engine.begin() as connected:
                await connected.execute(text(EMPTY))
            return
        except DBAPIError:  # a deadlock with what a workflow that was ended had begun to write
            if attempt == 5:
                raise


@asynccontextmanager
async def world(identity: str) -> AsyncIterator[World]:
    """A world of its own, migrated, gone without a trace at the end. `identity` is how its client signs."""
    with tempfile.TemporaryDirectory(prefix="evergreen-", dir=FAST_PLACE) as name:
        folder = Path(name)
        stack = Stack(
            folder,
            search_attributes=connection.search_attribute_types(),
            time_skipping=True,
            fast=True,
            any_ports=True,
        )
        async with stack.up() as running, world_on(running, folder, identity) as made:
            yield made


@asynccontextmanager
async def world_on(running: RunningStack, folder: Path, identity: str) -> AsyncIterator[World]:
    """A world on a stack that is up, migrated."""
    async with AsyncExitStack() as on_exit:
        variables = environment(folder, running.addresses) | {"EVERGREEN_DRAIN_SECONDS": "1"}
        settings = _settings(variables)
        engine = engine_for(settings.database_url)
        on_exit.push_async_callback(engine.dispose)
        await schema.upgrade(engine)
        client = await Client.connect(
            running.addresses.temporal_address,
            data_converter=connection.converter(settings.payload_keys()),
            identity=identity,
        )
        vendor = SandboxVendor(folder, port=httpx.URL(running.addresses.urls["vendor"]).port or 0)
        on_exit.callback(vendor.client.close)
        yield World(folder, running, variables, settings, engine, client, VirtualTime(client), vendor)


@dataclass
class OwnWorker:
    """A worker in this process, composed as worker.py composes it; stopped and started at will."""

    world: World
    _running: AsyncExitStack | None = None

    async def start(self) -> None:
        """Start it, unless it runs."""
        if self._running is not None:
            return
        self._running = AsyncExitStack()
        settings = self.world.settings
        engine = engine_for(settings.database_url)
        self._running.push_async_callback(engine.dispose)
        http = await self._running.enter_async_context(httpx.AsyncClient())
        vendor = HttpVendor(
            settings.vendor_url,
            settings.vendor_token.get_secret_value(),
            timeout_seconds=settings.vendor_timeout_seconds,
            client=http,
        )
        provider = settings.payment_provider(http)
        acts = worker.activities(settings, engine, self.world.client, vendor, provider)
        await self._running.enter_async_context(worker.worker_for(self.world.client, acts, settings))

    async def stop(self) -> None:
        """Let what is under way finish for a second, then stop."""
        if self._running is not None:
            await self._running.aclose()
            self._running = None


@dataclass
class WorkerProgram:
    """`python worker.py`, the real program; killed as a machine that loses its power would."""

    world: World
    program: Program | None = field(default=None, init=False)

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        self.program, _url = await WORKER.start(
            log=self.world.folder / "logs" / "worker.log",
            filled_in={},
            env=self.world.variables,
            any_ports=True,
        )

    def kill(self) -> None:
        """SIGKILL: it finishes nothing and says goodbye to nobody."""
        if self.program is not None:
            self.program.kill()


def _settings(variables: Mapping[str, str]) -> Settings:
    """The settings that a program with these variables would read."""
    ours = {
        name.removeprefix("EVERGREEN_").lower(): value
        for name, value in variables.items()
        if name.startswith("EVERGREEN_")
    }
    return Settings(_env_file=None, **ours)  # type: ignore[arg-type]  # pydantic reads the text
