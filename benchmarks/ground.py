"""What is measured on: a PostgreSQL, a Temporal server that keeps its data in memory, and our own parts on both.

The vendor answers at once and in process: what is measured is ours, not its network.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import connection
import worker
from benchmarks import bare
from config import Settings
from db import schema
from db.session import engine_for, sessions_for
from sandbox.postgres import Postgres
from sandbox.temporal import TemporalServer
from vendor.license_vendor import LicenseOrder, LicenseVendor, PlacedOrder, VendorLicense

ANY_PORTS = {"port": 0, "ui_port": 0}
CACHED = 10_000
"""More than are in flight, as a deployment should have it: else workflows are replayed at every step."""


@dataclass
class InstantVendor(LicenseVendor):
    """A vendor that does what it is asked at once."""

    licenses: dict[str, VendorLicense] = field(default_factory=dict)

    async def read(self, license_key: str) -> VendorLicense:
        """The license as it stands."""
        return self.licenses[license_key]

    async def place(self, order: LicenseOrder) -> PlacedOrder:
        """Do as ordered."""
        addons = frozenset(order.addons)
        self.licenses[order.license_key] = VendorLicense(
            order.to_expires_on, "SmarterMail", order.edition or "", order.size or "", addons, "active"
        )
        return PlacedOrder(
            order.reference,
            "1",
            order.kind,
            order.from_expires_on,
            order.to_expires_on,
            addons,
            datetime.now(UTC),
        )

    async def find(self, reference: str) -> PlacedOrder | None:
        """Never asked: nothing is tried twice here."""
        return None


@dataclass(frozen=True)
class Ground:
    """Both servers, and our parts on them."""

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    client: Client
    activities: dict[str, Callable[..., Any]]
    temporal_address: str

    @property
    def variables(self) -> dict[str, str]:
        """The environment of programs of ours on these servers."""
        settings = self.settings
        return {
            "EVERGREEN_DATABASE_URL": settings.database_url,
            "EVERGREEN_SECRET_KEYS": settings.secret_keys.get_secret_value(),
            "EVERGREEN_CODEC_KEYS": settings.codec_keys.get_secret_value(),
            "EVERGREEN_FINGERPRINT_PEPPER": settings.fingerprint_pepper.get_secret_value(),
            "EVERGREEN_CACHED_WORKFLOWS": str(settings.cached_workflows),
            "TEMPORAL_ADDRESS": self.client.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": self.client.namespace,
        }

    def our_worker(self) -> Worker:
        """The worker as it is deployed."""
        return worker.worker_for(self.client, list(self.activities.values()), self.settings)

    def bare_worker(self) -> Worker:
        """A worker with the same options, for the floors."""
        passed = SandboxRestrictions.default.with_passthrough_modules(*worker.OUR_MODULES, "benchmarks")
        return Worker(
            self.client,
            task_queue=bare.TASK_QUEUE,
            workflows=bare.WORKFLOWS,
            activities=[*bare.ACTIVITIES, *(self.activities[name] for name in bare.SAME_STEPS)],
            workflow_runner=SandboxedWorkflowRunner(restrictions=passed),
            max_cached_workflows=self.settings.cached_workflows,
        )


@asynccontextmanager
async def ground(folder: Path, time_skipping: bool = False) -> AsyncIterator[Ground]:
    """Bring the servers up on an empty folder. PostgreSQL does not wait for the disk, as Temporal does not."""
    folder.mkdir(parents=True)
    postgres = Postgres(folder / "postgres", fast=True)
    temporal = TemporalServer(
        None,
        log=folder / "temporal.log",
        search_attributes=connection.search_attribute_types(),
        time_skipping=time_skipping,
        usual_ports=ANY_PORTS,
    )
    async with postgres, temporal, httpx.AsyncClient() as http:
        settings = _settings(await postgres.create_database("evergreen"))
        engine = engine_for(settings.database_url)
        await schema.upgrade(engine)
        client = await Client.connect(
            temporal.address,
            data_converter=connection.converter(settings.payload_keys()),
            runtime=quiet_runtime(),
        )
        provider = settings.payment_provider(http)
        activities = worker.activities(settings, engine, client, InstantVendor(), provider)
        by_name = {activity.__name__: activity for activity in activities}
        try:
            yield Ground(settings, engine, sessions_for(engine), client, by_name, temporal.address)
        finally:
            await engine.dispose()


@cache
def quiet_runtime() -> Runtime:
    """The SDK without its warnings: that a worker is behind is what is measured here."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    return connection.quiet_runtime()


def today() -> date:
    """The day of the measurement."""
    return datetime.now(UTC).date()


def _settings(database_url: str) -> Settings:
    key = base64.b64encode(bytes(32)).decode()
    return Settings(
        _env_file=None,
        database_url=database_url,
        secret_keys=f"benchmark:{key}",
        codec_keys=f"benchmark:{key}",
        fingerprint_pepper=key,
        cached_workflows=CACHED,
    )
