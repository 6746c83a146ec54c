"""Licenses in our care and orders for them, each made in a transaction of its own, as the activities make them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Literal

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import arrivals, intakes, orders, subscriptions
from db.identifiers import new_id
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.subscriptions import Held
from domain.term import Term, next_term
from tests.db.bookkeeper import AT
from tests.db.office import Office, license_row

PAID_AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
PROMISE_AT = datetime(2027, 3, 2, 17, 30, tzinfo=UTC)
_numbers = count(1)


@dataclass(frozen=True)
class Shelf:
    """Amounts and prices do not matter here: nothing is invoiced."""

    sessions: async_sessionmaker[AsyncSession]

    async def license(self, **facts: Any) -> Held:
        """A license with its subscription, covered 2026-09-01 to 2027-08-31 unless `expires_on` is given."""
        number = next(_numbers)
        row = license_row(
            **{"license_key": f"SHELF-{number:06d}-KEY", "email": f"c{number}@example.com"} | facts
        )
        storing = Office(self.sessions).storing()
        async with self.sessions.begin() as session:
            await intakes.begin(session, storing)
            arrived = await arrivals.take(session, storing, [row])
        (subscription_id,) = arrived.new.values()
        return await self.held(subscription_id)

    async def held(self, subscription_id: str) -> Held:
        async with self.sessions() as session:
            return await subscriptions.held(session, subscription_id)

    async def change(self, held: Held, **values: Any) -> None:
        """Let the subscription's workflow have written this."""
        await Office(self.sessions).change(held.subscription.id, **values)

    async def paid(
        self,
        held: Held,
        kind: Literal["renewal", "addon", "upgrade"] = "renewal",
        promise_at: datetime = PROMISE_AT,
        channel: str = "by_hand",
        **wanted: Any,
    ) -> str:
        """A paid order of the license as it is now; answers the id of the license update that is owed."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, held.subscription.id, lock=True)
            order = self._ordered(session, held, kind, wanted)
            await session.flush()
            update = await orders.paid(session, order, held, PAID_AT, promise_at, channel)
            return update.id

    def _ordered(self, session: AsyncSession, held: Held, kind: str, wanted: dict[str, Any]) -> Order:
        key = new_id("key")
        if kind == "renewal":
            return orders.renewal(session, held, key, next_term(held.term), PAID_AT)
        kinds: dict[str, Literal["addon", "upgrade"]] = {"addon": "addon", "upgrade": "upgrade"}
        return orders.change(session, held, kinds[kind], key, held.term, PAID_AT, **wanted)

    async def close(self, update_id: str, state: str, at: datetime = AT, late: bool = False) -> None:
        """Let the update be done or refused."""
        async with self.sessions.begin() as session:
            update = await session.get(LicenseUpdate, update_id)
            assert update is not None
            update.state, update.late = state, late
            if state == "done":
                update.done_at, update.seen_expires_on = at, update.to_expires_on
            else:
                update.refusal = "RevokedKey"


TERM = Term(date(2026, 9, 1), date(2027, 8, 31))


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements that are sent while the block runs."""
    sent: list[str] = []

    def note(*call: Any) -> None:
        sent.append(call[2])

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
