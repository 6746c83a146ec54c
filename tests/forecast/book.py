"""A live book to forecast: rows of the example book or a test's own, imported and started on a real stack."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from commands.intake import take
from commands.license_files import checked_file
from commands.year import at_vendor
from db import subscriptions
from db.models.customer import Customer
from db.models.order import Order
from db.models.subscription import Subscription
from db.subscriptions import Held
from domain.local_time import end_of, local_date, local_instant
from domain.messages import subscription_workflow_id
from forecast.actor import Actor
from forecast.events import Event
from sandbox.virtual_time import AT_ONCE
from tests.commands.book import write
from tests.end_to_end.world import World
from tests.eventually import eventually

PATIENCE = timedelta(seconds=60)
RENEWS_AT = time(9)
"""R4."""
YEAR = timedelta(days=365)


@dataclass
class LiveBook:
    """The subscriptions of one test on the session's stack."""

    world: World

    @property
    def today(self) -> date:
        return local_date(datetime.now(UTC), self.world.settings.zone)

    async def take(self, rows: Sequence[dict[str, str]], folder: Path) -> list[Held]:
        """Import rows as the command does; the vendor knows their licenses."""
        world = self.world
        world.vendor.control("POST", "/sandbox/licenses", json=[at_vendor(row) for row in rows])
        checked = checked_file(write(folder / "book.csv", rows), world.settings, self.today, show=False)
        assert not checked.problems, checked.problems
        await take(checked, world.settings, world.sessions, world.client, "tests", datetime.now(UTC))
        async with world.sessions() as session:
            return await subscriptions.listing(session)

    async def all_are(self, state: str, rows: Sequence[dict[str, str]]) -> None:
        """Wait until the subscriptions of these customers are in the state, and all that follows is written."""
        emails = [row["customer_email"] for row in rows]
        query = (
            select(func.count())
            .select_from(Subscription)
            .join(Customer, Customer.id == Subscription.customer_id)
            .where(Customer.email.in_(emails), Subscription.state == state)
        )

        async def there() -> bool:
            async with self.world.sessions() as session:
                return await session.scalar(query) == len(rows)

        await eventually(there, f"{emails} are {state}")

    async def all_done(self) -> None:
        """Wait until what is due has begun, and no order is paid and not done: then nothing moves until time does."""
        zone, now = self.world.settings.zone, datetime.now(UTC)
        waiting = select(Subscription.next_renews_on).where(
            Subscription.state == "active", Subscription.auto_renew
        )

        async def done() -> bool:
            async with self.world.sessions() as session:
                paid = await session.scalar(select(func.count()).where(Order.state == "paid"))
                days = (await session.scalars(waiting)).all()
            return not paid and all(local_instant(day, RENEWS_AT, zone) > now for day in days if day)

        await eventually(done, "what is due is done", PATIENCE)

    async def do(self, events: Iterable[Event]) -> None:
        """Do events now."""
        actor = Actor(self.world.sessions, self.world.client)
        for event in events:
            await actor.do(event, datetime.now(UTC))
        assert not actor.not_done

    async def live_through(self, until: date, events: Sequence[Event]) -> None:
        """Let the real time of all pass to the end of that day; what falls due on the way is done, and each event.

        Who has several licenses pays for them from the same credits: theirs go side by side from one day to the next on
        which money may move, by the dates of the rules alone.
        """
        customers: defaultdict[str, list[Subscription]] = defaultdict(list)
        async with self.world.sessions() as session:
            for row in await session.scalars(select(Subscription).order_by(Subscription.id)):
                customers[row.customer_id].append(row)
        horizon, gate = end_of(until, self.world.settings.zone), asyncio.Semaphore(AT_ONCE)
        actor = Actor(self.world.sessions, self.world.client)

        async def live(rows: Sequence[Subscription]) -> None:
            alive = [row.id for row in rows]
            async with gate:
                for at, event in self._steps(rows, events, horizon):
                    alive = [one for one in alive if await self._advance(one, at)]
                    if event is not None:
                        await actor.do(event, at)

        async with asyncio.TaskGroup() as group:
            for rows in customers.values():
                group.create_task(live(rows))
        assert not actor.not_done

    async def _advance(self, subscription_id: str, at: datetime) -> bool:
        return await self.world.clocks.advance(subscription_workflow_id(subscription_id), at)

    def _steps(
        self, rows: Sequence[Subscription], events: Iterable[Event], horizon: datetime
    ) -> list[tuple[datetime, Event | None]]:
        """When to look at the licenses of one customer: on each day on which money may move, and at each event."""
        zone, ids = self.world.settings.zone, {row.id for row in rows}
        steps: list[tuple[datetime, Event | None]] = [
            (event.at(zone), event) for event in events if event.subscription_id in ids
        ]
        if len(rows) > 1:
            days = {day for row in rows for day in _money_days(row)}
            steps += [(end_of(day, zone), None) for day in days]
        steps = [step for step in steps if step[0] < horizon]
        return [*sorted(steps, key=lambda step: step[0]), (horizon, None)]

    async def digests(self) -> dict[str, str]:
        """Every row of every table, byte for byte, and the files in which vendor, payments and mail keep theirs."""
        found = {}
        async with self.world.sessions() as session:
            names = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            for name in (await session.scalars(names)).all():
                rows = text(f"SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {name} t")
                found[name] = str(await session.scalar(rows))
        for path in sorted(self.world.folder.glob("*.db*")):
            if path.name.split(".")[0] in ("vendor", "payments", "mail"):
                found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    async def histories(self) -> dict[str, int]:
        """The length of every workflow's history on the live server."""
        found = {}
        async for one in self.world.client.list_workflows():
            handle = self.world.client.get_workflow_handle(one.id, run_id=one.run_id)
            found[f"{one.id}/{one.run_id}"] = (await handle.describe()).history_length
        return found


def _money_days(row: Subscription) -> Iterator[date]:
    """R4, R22: the renewal date, and those on which a payment that failed is tried again; of this term and the next."""
    for year in (0, 1):
        expires_on = row.expires_on + year * YEAR
        yield from (expires_on - timedelta(days=days) for days in (14, 12, 9, 5, 2, 0))
        if row.renews_on is not None:
            yield row.renews_on + year * YEAR
