"""A year of the demo: the book is imported, time passes week by week, and what happens is shown as it does."""

from __future__ import annotations

import asyncio
import csv
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
from rich.progress import Progress
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import connection
from commands import running
from commands.intake import take
from commands.license_files import checked_file
from commands.scenes import Scene, Script
from commands.screen import console, to_errors
from commands.verdict import Verdict, reach_verdict
from config import Settings
from db import subscriptions
from db.models.audit import AuditRecord
from db.models.subscription import Subscription
from domain.local_time import local_date
from forecast.turns import Act, Turns
from sandbox.environment import environment
from sandbox.holder import Addresses
from sandbox.virtual_time import AT_ONCE, VirtualTime

WRITTEN_ON = date(2026, 11, 23)
"""The day for which the example book was written; its dates are shifted to today."""

STEP = timedelta(days=56)
LENGTH = timedelta(days=392)
TOLD = {
    "renew": "[green]renewed[/]",
    "cancel": "[yellow]cancelled[/]",
    "resume": "[yellow]resumed[/]",
    "lapse": "[red]lapsed, credits given back[/]",
    "end": "[dim]ended[/]",
    "refund": "[red]refused by the vendor, given back[/]",
    "promise_broken": "[red]promise broken[/]",
}


@dataclass
class Year:
    """One demo: a book of subscriptions, their clocks, and a vendor that is a program of its own."""

    folder: Path
    settings: Settings
    sessions: async_sessionmaker[AsyncSession]
    client: Client
    vendor: httpx.AsyncClient
    http: httpx.AsyncClient
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _told: int = 0

    def __post_init__(self) -> None:
        self._turns = Turns(self.client, VirtualTime(self.client))

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path, addresses: Addresses) -> AsyncIterator[Year]:
        """A year on a running stack."""
        running.use(environment(folder.resolve(), addresses))
        settings = running.settings()
        client = await connection.connect(settings.payload_keys())
        async with (
            running.database(settings) as sessions,
            httpx.AsyncClient(base_url=addresses.urls["vendor"], trust_env=False) as vendor,
            httpx.AsyncClient(trust_env=False) as http,
        ):
            yield cls(folder, settings, sessions, client, vendor, http)

    async def import_book(self, book: Path) -> None:
        """Shift the book's dates to today, tell the vendor of its licenses, and import it."""
        today = local_date(self.began_at, self.settings.zone)
        shifted = self.folder / "licenses.csv"
        rows = _shifted(book, today - WRITTEN_ON)
        _write(shifted, rows)
        await self.vendor.post("/sandbox/licenses", json=[at_vendor(row) for row in rows])
        checked = checked_file(shifted, self.settings, today)
        counts = await take(checked, self.settings, self.sessions, self.client, "demo", self.began_at)
        console.print(
            f"Imported [bold]{counts.taken}[/] licenses from {book.name}; {counts.flagged} are past their "
            "cancel-by date. Their workflows sleep."
        )

    async def pass_by(self) -> None:
        """Let the year pass; on the way people do what the script says.

        The licenses of one customer go in turn, as in earnest they would: so every demo of a day comes out the same.
        """
        customers, scenes = await self._customers(), await self._scenes()
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(customer_id: str, until: datetime) -> None:
            async with gate:
                acts = [
                    Act(scene.at, partial(self._play, scene))
                    for scene in scenes
                    if scene.held.customer.id == customer_id and until - STEP <= scene.at < until
                ]
                customers[customer_id] = await self._turns.pass_by(customers[customer_id], until, acts)

        at = self.began_at
        with Progress(console=to_errors, transient=True, disable=console.quiet) as progress:
            task = progress.add_task("the year", total=LENGTH // STEP)
            while at < self.began_at + LENGTH:
                at += STEP
                async with asyncio.TaskGroup() as group:
                    for customer_id in customers:
                        group.create_task(one(customer_id, at))
                await self._tell()
                progress.advance(task)

    async def verdict(self) -> Verdict:
        """What became of the book, from our tables and from the vendor's own record."""
        answer = await self.vendor.get("/sandbox/licenses")
        orders = await self.vendor.get("/sandbox/orders")
        return await reach_verdict(self.sessions, self.settings.key_ring(), answer.json(), orders.json())

    async def _scenes(self) -> list[Scene]:
        async with self.sessions() as session:
            book = await subscriptions.listing(session)
        script = Script(
            self.sessions, self.client, self.settings.payment_provider(self.http), self.settings.price_list()
        )
        return script.scenes(book, self.began_at.date())

    async def _play(self, scene: Scene) -> None:
        outcome = await scene.play(scene.held, scene.at)
        console.print(f"{scene.at:%Y-%m-%d}  {scene.held.title:38} [cyan]{outcome}[/]")

    async def _customers(self) -> dict[str, list[str]]:
        """Customer id → the ids of their subscriptions."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        async with self.sessions() as session:
            query = select(Subscription.customer_id, Subscription.id).order_by(Subscription.id)
            for customer_id, subscription_id in await session.execute(query):
                found[customer_id].append(subscription_id)
        return dict(found)

    async def _tell(self) -> None:
        """Show what happened since the last look, from the audit."""
        async with self.sessions() as session:
            happened = await session.scalars(
                select(AuditRecord).where(AuditRecord.id > self._told).order_by(AuditRecord.at)
            )
            for record in happened:
                self._told = max(self._told, record.id)
                if record.action in TOLD and record.action != "cancel":
                    held = await subscriptions.held(session, record.subject)
                    note = record.details.get("to") or record.details.get("state") or ""
                    console.print(f"{record.at:%Y-%m-%d}  {held.title:38} {TOLD[record.action]} {note}")


def _shifted(book: Path, by: timedelta) -> list[dict[str, str]]:
    with book.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        for column in ("expires_on", "renews_on"):
            if row[column]:
                row[column] = str(date.fromisoformat(row[column]) + by)
    return rows


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def at_vendor(row: dict[str, str]) -> dict[str, object]:
    """A row of an import file as the sandbox vendor is told of it."""
    return {
        "license_key": row["license_key"],
        "product": row["product"],
        "edition": row["edition"],
        "size": row["size"],
        "addons": [name.strip() for name in row["addons"].split(";") if name.strip()],
        "expires_on": row["expires_on"],
    }
