"""A stack of a forecast's own: PostgreSQL, Temporal with time skipping, vendor, payments and a worker, gone at the end.

It has no mail server: letters stay in its outbox. Nothing on it knows a live address (`forecast.surroundings`).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from temporalio.client import Client

import connection
from config import Settings
from db import schema
from db.session import engine_for, sessions_for
from forecast import surroundings
from sandbox.stack import OUTSIDE_WORLD, WORKER, RunningStack, Stack

MEMORY = Path("/dev/shm")  # noqa: S108  # a private folder is made in it
NEEDED_BYTES = 2**31
PATIENT_WORKER = replace(WORKER, start_within_seconds=120.0)
"""Nobody waits for it but the forecast, and the machine has the live worker to serve."""
MIGRATING = asyncio.Lock()
"""One database at a time: Alembic keeps its context in module variables."""


@dataclass
class Scratch:
    """A running scratch stack, still without a worker."""

    folder: Path
    stack: RunningStack
    told: dict[str, str | None]
    settings: Settings
    engine: AsyncEngine
    client: Client

    @property
    def sessions(self) -> async_sessionmaker[AsyncSession]:
        """Sessions on its database."""
        return sessions_for(self.engine)

    async def register(self, licenses: list[dict[str, Any]]) -> None:
        """Tell its vendor of the licenses at their present expiry."""
        async with httpx.AsyncClient(base_url=self.stack.addresses.urls["vendor"], trust_env=False) as vendor:
            (await vendor.post("/sandbox/licenses", json=licenses)).raise_for_status()

    async def work(self) -> None:
        """Start its worker, the real program."""
        await self.stack.run(PATIENT_WORKER, env=self.told)


@asynccontextmanager
async def scratch(rules: Settings) -> AsyncIterator[Scratch]:
    """A scratch stack that goes by these rules, migrated and empty. Raises ProgramFailed."""
    with tempfile.TemporaryDirectory(prefix="evergreen-forecast-", dir=_place()) as name:
        folder = Path(name).resolve()
        stack = Stack(
            folder,
            search_attributes=connection.search_attribute_types(),
            outside_world=tuple(service for service in OUTSIDE_WORLD if service.name != "mail"),
            time_skipping=True,
            fast=True,
            any_ports=True,
            keeps_history=False,
        )
        async with stack.up() as running:
            told = surroundings.variables(folder, running.addresses, rules)
            settings = surroundings.settings(told)
            engine = engine_for(settings.database_url)
            try:
                async with MIGRATING:
                    await schema.upgrade(engine)
                client = await Client.connect(
                    running.addresses.temporal_address,
                    namespace=running.addresses.temporal_namespace,
                    data_converter=connection.converter(settings.payload_keys()),
                    identity="forecast",
                    runtime=connection.quiet_runtime(),
                )
                yield Scratch(folder, running, told, settings, engine, client)
            finally:
                await engine.dispose()


def _place() -> Path | None:
    """In memory where there is room: a forecast needs no disk."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > NEEDED_BYTES
    return MEMORY if roomy else None
