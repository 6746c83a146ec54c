"""A live book to forecast: rows of the example book or a test's own, imported and started on a real stack."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from commands.intake import take
from commands.license_files import checked_file
from commands.year import at_vendor
from db import subscriptions
from db.models.customer import Customer
from db.models.subscription import Subscription
from db.subscriptions import Held
from domain.local_time import end_of, local_date
from domain.messages import subscription_workflow_id
from tests.commands.book import write
from tests.end_to_end.book import eventually
from tests.end_to_end.world import World

WEEK = timedelta(days=7)


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

    async def live_through(self, until: date) -> None:
        """Let the real time of all pass to the end of that day; what falls due on the way is done.

        Who has several licenses pays for them from the same credits: theirs go week by week, side by side.
        """
        customers: defaultdict[str, list[str]] = defaultdict(list)
        async with self.world.sessions() as session:
            query = select(Subscription.customer_id, Subscription.id).order_by(Subscription.id)
            for customer_id, subscription_id in await session.execute(query):
                customers[customer_id].append(subscription_workflow_id(subscription_id))
        alone = [ids[0] for ids in customers.values() if len(ids) == 1]
        together = [one for ids in customers.values() if len(ids) > 1 for one in ids]
        horizon = end_of(until, self.world.settings.zone)
        await self.world.clocks.advance_all(alone, horizon)
        at = datetime.now(UTC)
        while together and at < horizon:
            at = min(at + WEEK, horizon)
            together = sorted(await self.world.clocks.advance_all(together, at))

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


def only(rows: Iterable[dict[str, str]], number: int) -> list[dict[str, str]]:
    """The first so many rows."""
    return list(rows)[:number]
