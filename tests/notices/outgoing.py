"""Short words for what the tests of sending do over and over: notices in the outbox, senders at work on it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import notices, outbox
from db.identifiers import new_id
from db.models.customer import Customer
from db.models.notice import Notice
from notices.letters import Letterhead
from notices.mailer import Mailer
from notices.patience import Patience
from notices.sender import Sender
from notices.tally import Failure
from tests.notices.facts import HELD

AT = datetime(2027, 8, 17, 8, 0, tzinfo=UTC)
FROM = "Evergreen <renewals@evergreen.example>"
STAFF = "staff@evergreen.example"
QUICK = Patience(first=timedelta(seconds=0.1), longest=timedelta(seconds=0.2))
PATIENCE_SECONDS = 15


@dataclass
class Counts:
    """A tally as metrics would keep it."""

    was_sent: Counter[str] = field(default_factory=Counter)
    has_failed: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def sent(self, kind: str) -> None:
        self.was_sent[kind] += 1

    def failed(self, kind: str, failure: Failure, given_up: bool) -> None:
        self.has_failed[failure, given_up] += 1


@dataclass(frozen=True)
class Outgoing:
    """The outbox and what it is sent with."""

    sessions: async_sessionmaker[AsyncSession]
    mailer: Mailer
    letterhead: Letterhead
    counts: Counts = field(default_factory=Counts)

    async def notice(
        self,
        email: str | None = None,
        kind: str = "expired",
        facts: dict[str, Any] = HELD,
        name: str = "Ann Example",
        audience: notices.Audience = "customer",
    ) -> str:
        """A notice to a customer of its own; answers the customer's address."""
        customer_id = new_id("cus")
        email = email or f"{customer_id}@example.com"
        async with self.sessions.begin() as session:
            session.add(Customer(id=customer_id, email=email, name=name, country="GB", created_at=AT))
            await session.flush()
            await notices.tell(
                session,
                kind=kind,
                customer_id=customer_id,
                subject=customer_id,
                facts=facts,
                at=AT,
                audience=audience,
            )
        return email

    def sender(self, **settings: Any) -> Sender:
        defaults: dict[str, Any] = {
            "letterhead": self.letterhead,
            "patience": QUICK,
            "tally": self.counts,
            "interval_seconds": 0.05,
            "lease": timedelta(seconds=30),
        }
        return Sender(self.sessions, self.mailer, STAFF, **defaults | settings)

    def through(self, **changes: Any) -> "Outgoing":
        """The same outbox with another mailer."""
        return replace(self, mailer=replace(self.mailer, **changes))

    @asynccontextmanager
    async def sending(self, *senders: Sender) -> AsyncIterator[None]:
        """Senders at work, one unless others are given; told to stop at the end, and waited for."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for sender in senders or (self.sender(),):
                group.create_task(sender.run(stop))
            try:
                yield
            finally:
                stop.set()

    async def rows(self) -> list[Notice]:
        async with self.sessions() as session:
            return list((await session.scalars(select(Notice).order_by(Notice.id))).all())

    async def until(self, reached: Callable[[list[Notice]], bool]) -> list[Notice]:
        """Wait until the rows of the outbox are so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not reached(rows := await self.rows()):
                await asyncio.sleep(0.02)
        return rows

    async def all_sent(self) -> list[Notice]:
        return await self.until(lambda rows: all(row.sent_at for row in rows))

    async def failing(self) -> dict[outbox.Age, int]:
        async with self.sessions() as session:
            return await outbox.failing(session)
