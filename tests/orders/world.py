"""The world of these tests: the embedded stack with clocks that can be moved, and a worker that comes and goes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from temporalio.client import Client

import worker
from config import Settings
from db.session import engine_for, sessions_for
from sandbox.virtual_time import VirtualTime
from tests.end_to_end.world import emptied
from tests.money import world as money
from tests.orders.price_list import price_list

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
        await emptied(self.engine)
        for program in OUTSIDE:
            await self.control(program, "DELETE", "faults")


@asynccontextmanager
async def world(one: money.World) -> AsyncIterator[World]:
    """The world of all tests, as this folder uses it: with a price list of its own."""
    variables = {**one.variables, "EVERGREEN_CATALOGUE": str(_written(one.folder, price_list()))}
    async with AsyncExitStack() as on_exit:
        outside = {
            name: await on_exit.enter_async_context(
                httpx.AsyncClient(base_url=one.stack.addresses.urls[name], trust_env=False, timeout=20)
            )
            for name in OUTSIDE
        }
        yield World(one.folder, variables, _settings(variables), one.engine, one.client, one.clocks, outside)


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
