"""The world of these tests: the embedded stack with clocks that can be moved, and a worker that comes and goes."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from temporalio.client import Client

import connection
import worker
from config import Settings
from db import schema
from db.session import engine_for, sessions_for
from sandbox import temporal
from sandbox.environment import environment
from sandbox.stack import Stack
from sandbox.virtual_time import VirtualTime
from tests.db.conftest import EMPTY
from tests.orders.price_list import price_list

MEMORY = Path("/dev/shm")
FAST_PLACE = (
    MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**30 else None
)  # else the usual one
QUICK_TIMERS = {
    "history.workflowIdReuseMinimalInterval": '"0s"',
    "history.timerProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxPollHostRPS": "10000",
}
"""The server looks at most twenty times a second for timers that are due; a skip over many retries then takes long."""
OUTSIDE = ("vendor", "payments")
TEMPORAL = Path(sys.executable).parent / "temporal"
numbers = count(1)


@dataclass
class World:
    """A running stack, and the ways to it."""

    folder: Path
    variables: Mapping[str, str]
    settings: Settings
    engine: AsyncEngine
    client: Client
    clocks: VirtualTime
    outside: dict[str, httpx.AsyncClient]

    @property
    def sessions(self) -> async_sessionmaker[AsyncSession]:
        """Sessions of the test's own, beside those of the worker."""
        return sessions_for(self.engine)

    async def control(self, program: str, method: str, path: str, **request: Any) -> Any:
        """Use a control of a sandbox: `vendor` or `payments`."""
        response = await self.outside[program].request(method, f"/sandbox/{path}", **request)
        assert response.is_success, response.text
        return response.json()

    async def command(self, *arguments: str) -> str:
        """What Temporal's own command line prints."""
        program = await asyncio.create_subprocess_exec(
            TEMPORAL,
            *arguments,
            *("--address", self.variables["TEMPORAL_ADDRESS"]),
            *("--namespace", self.variables["TEMPORAL_NAMESPACE"]),
            *("--disable-config-file", "--disable-config-env"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await program.communicate()
        assert program.returncode == 0, printed.decode()
        return printed.decode()

    async def empty(self) -> None:
        """Forget all rows and all troubles."""
        for attempt in count(1):
            try:
                async with self.engine.begin() as connected:
                    await connected.execute(text(EMPTY))
                break
            except DBAPIError:  # a deadlock with what a workflow that was ended had begun to write
                if attempt == 5:
                    raise
        for program in OUTSIDE:
            await self.control(program, "DELETE", "faults")


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A world of its own, migrated, gone without a trace at the end."""
    temporal.TIME_SKIPPING.update(QUICK_TIMERS)
    with tempfile.TemporaryDirectory(prefix="evergreen-", dir=FAST_PLACE) as name:
        folder = Path(name)
        stack = Stack(
            folder,
            search_attributes=connection.search_attribute_types(),
            time_skipping=True,
            fast=True,
            any_ports=True,
        )
        async with stack.up() as running, AsyncExitStack() as on_exit:
            variables = environment(folder, running.addresses) | {
                "EVERGREEN_DRAIN_SECONDS": "1",
                "EVERGREEN_CATALOGUE": str(_written(folder, price_list())),
            }
            settings = _settings(variables)
            engine = engine_for(settings.database_url)
            on_exit.push_async_callback(engine.dispose)
            await schema.upgrade(engine)
            client = await Client.connect(
                running.addresses.temporal_address,
                data_converter=connection.converter(settings.payload_keys()),
                identity="tests",
            )
            outside = {
                name: await on_exit.enter_async_context(
                    httpx.AsyncClient(base_url=running.addresses.urls[name], trust_env=False, timeout=20)
                )
                for name in OUTSIDE
            }
            yield World(folder, variables, settings, engine, client, VirtualTime(client), outside)


@dataclass
class OwnWorker:
    """A worker in this process, composed as worker.py composes it; stopped and started, with any price list."""

    world: World
    prices: str = field(default_factory=price_list)
    _running: AsyncExitStack | None = None

    async def start(self, prices: str | None = None) -> None:
        """Have it run with this price list: the usual one, unless another is given."""
        prices = prices or price_list()
        if self._running is not None and prices == self.prices:
            return
        await self.stop()
        self._running, self.prices = AsyncExitStack(), prices
        settings = self.world.settings.model_copy(update={"catalogue": _written(self.world.folder, prices)})
        engine = engine_for(settings.database_url)
        self._running.push_async_callback(engine.dispose)
        http = await self._running.enter_async_context(httpx.AsyncClient(trust_env=False))
        await self._running.enter_async_context(worker.composed(settings, engine, self.world.client, http))

    async def stop(self) -> None:
        """Let what is under way finish for a second, then stop."""
        if self._running is not None:
            await self._running.aclose()
            self._running = None


def _written(folder: Path, prices: str) -> Path:
    path = folder / f"catalogue-{next(numbers)}.toml"
    path.write_text(prices, encoding="utf-8")
    return path


def _settings(variables: Mapping[str, str]) -> Settings:
    """The settings that a program with these variables would read."""
    prefix = "EVERGREEN_"
    ours = {n.removeprefix(prefix).lower(): value for n, value in variables.items() if n.startswith(prefix)}
    return Settings(_env_file=None, **ours)  # type: ignore[arg-type]  # pydantic reads the text


def said(printed: str) -> dict[str, Any]:
    """The JSON that a query printed."""
    told: dict[str, Any] = json.loads(printed)
    return told
