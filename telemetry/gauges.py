"""What waits in PostgreSQL, read every half minute and shown on the worker's Prometheus page.

Every worker reads and shows the same numbers, so that none of them is special: ask for `max by (…)` of them. When the
database cannot be read the numbers stay as they were; `evergreen_gauges_read_at_seconds` tells how old they are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.common import MetricMeter

from db import figures, outbox
from db.figures import Queue

log = logging.getLogger("telemetry.gauges")

GAUGES = {
    "evergreen_money_waiting_minor": "Owed on open orders, minor units",
    "evergreen_due": "Active subscriptions whose renewal date is today or has passed",
    "evergreen_subscriptions": "Subscriptions in each state in which something is waited for",
    "evergreen_updates_waiting": "License updates that are owed",
    "evergreen_updates_oldest_seconds": "Age of the oldest license update that is owed",
    "evergreen_updates_late": "License updates past their promise time",
    "evergreen_outbox_waiting": "Notices not sent yet",
    "evergreen_outbox_oldest_seconds": "Age of the oldest notice that is not sent yet",
    "evergreen_notices_failing": "Unsent notices that have failed, by how long ago they were written",
    "evergreen_starts_waiting": "Imported subscriptions whose workflow is still to be started",
    "evergreen_starts_oldest_seconds": "Age of the oldest of these",
    "evergreen_reconcile_differences": "What a reconciliation found and nobody has mended or accepted",
    "evergreen_gauges_read_at_seconds": "When these gauges were read, seconds since 1970",
}


@dataclass
class Gauges:
    """Reads the gauges and shows them."""

    sessions: async_sessionmaker[AsyncSession]
    meter: MetricMeter
    zone: str
    every_seconds: float
    _shown: dict[str, set[str]] = field(default_factory=dict)
    """The labels that each gauge was shown with."""

    async def run(self) -> None:
        """Read and show until cancelled. What goes wrong is logged by its kind, and the next reading comes."""
        while True:
            try:
                await self.read()
            except (
                Exception
            ) as failed:  # whatever the database does: the worker's work does not hang on its gauges
                log.warning("the gauges cannot be read: %s", type(failed).__name__)
            await asyncio.sleep(self.every_seconds)

    async def read(self) -> None:
        """Read and show once. Raises what the database raises."""
        now = datetime.now(UTC)
        async with self.sessions() as session:
            money = await figures.money_waiting_minor(session)
            due = await figures.due(session, now.astimezone(ZoneInfo(self.zone)).date())
            troubled = await figures.troubled(session)
            updates = await figures.update_queue(session)
            unsent = await figures.outbox(session)
            failing = await outbox.failing(session)
            starts = await figures.not_started(session)
            differences = await figures.differences(session)
        self._show("evergreen_money_waiting_minor", "currency", money)
        self._show("evergreen_due", "", {"": due})
        self._show("evergreen_subscriptions", "state", troubled)
        self._show_queues("evergreen_updates", "channel", updates)
        self._show("evergreen_updates_late", "channel", {name: q.late for name, q in updates.items()})
        self._show_queues("evergreen_outbox", "", {"": unsent})
        self._show("evergreen_notices_failing", "age", {str(age): number for age, number in failing.items()})
        self._show_queues("evergreen_starts", "", {"": starts})
        self._show("evergreen_reconcile_differences", "kind", differences or {"none": 0})
        self._show("evergreen_gauges_read_at_seconds", "", {"": now.timestamp()})

    def _show_queues(self, name: str, label: str, queues: Mapping[str, Queue]) -> None:
        self._show(f"{name}_waiting", label, {key: queue.waiting for key, queue in queues.items()})
        self._show(
            f"{name}_oldest_seconds", label, {key: queue.oldest_seconds for key, queue in queues.items()}
        )

    def _show(self, name: str, label: str, values: Mapping[str, float]) -> None:
        """Show the values by their label; one that was shown before and is gone is zero now."""
        shown = self._shown.setdefault(name, set())
        shown.update(values)
        gauge = self.meter.create_gauge_float(name, GAUGES[name])
        for key in shown:
            gauge.set(values.get(key, 0), {label: key} if label else {})


@asynccontextmanager
async def showing(gauges: Gauges) -> AsyncIterator[None]:
    """Read the gauges while the block runs."""
    task = asyncio.create_task(gauges.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
