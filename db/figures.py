"""How much waits, and for how long: read again and again for the metrics, so each is one statement on an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, extract, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.invoice import Invoice
from db.models.ledger import Account
from db.models.license_update import LicenseUpdate
from db.models.notice import Notice
from db.models.order import Order
from db.models.subscription import Subscription
from db.outbox import NEVER

TROUBLED = ("collecting", "updating", "refused", "lapsed")
"""States in which somebody or something is waited for; the others are too many to be counted every half minute."""
CHANNELS = ("api", "by_hand")
OPEN_DIFFERENCES = text(
    "SELECT kind, count(*) FROM differences"
    " WHERE healed_at IS NULL AND gone_at IS NULL AND accepted_at IS NULL GROUP BY kind"
)


@dataclass(frozen=True)
class Queue:
    """What waits in one place; ages are wall time, zero where nothing waits."""

    waiting: int = 0
    oldest_seconds: float = 0.0
    late: int = 0
    """Of these, past their promise time."""


async def money_waiting_minor(session: AsyncSession) -> dict[str, int]:
    """What is still owed on open orders, in minor units by currency."""
    owed = func.sum(-Account.balance_minor)
    query = (
        select(Invoice.currency, owed)
        .join(Order, Order.id == Invoice.order_id)
        .join(Account, Account.id == Invoice.account_id)
        .where(Order.state == "open", Invoice.kind == "invoice")
        .group_by(Invoice.currency)
    )
    return {currency: int(minor or 0) for currency, minor in (await session.execute(query)).all()}


async def due(session: AsyncSession, today: date) -> int:
    """Active subscriptions whose renewal date is today or has passed without being settled."""
    query = select(func.count()).where(Subscription.next_renews_on <= today, Subscription.state == "active")
    return await session.scalar(query) or 0


async def troubled(session: AsyncSession) -> dict[str, int]:
    """Subscriptions in each state in which something is waited for; every state is there, also with none."""
    query = (
        select(Subscription.state, func.count())
        .where(Subscription.state.in_(TROUBLED))
        .group_by(Subscription.state)
    )
    found = (await session.execute(query)).all()
    return dict.fromkeys(TROUBLED, 0) | {row[0]: row[1] for row in found}


async def update_queue(session: AsyncSession) -> dict[str, Queue]:
    """License updates that are owed, by channel (R23)."""
    query = (
        select(
            LicenseUpdate.channel,
            func.count(),
            _oldest_seconds(LicenseUpdate.recorded_at),
            func.count().filter(LicenseUpdate.promise_at <= func.now()),
        )
        .where(LicenseUpdate.state == "pending")
        .group_by(LicenseUpdate.channel)
    )
    found = (await session.execute(query)).all()
    empty = {channel: Queue() for channel in CHANNELS}
    return empty | {channel: Queue(number, float(age), late) for channel, number, age, late in found}


async def outbox(session: AsyncSession) -> Queue:
    """Notices not sent yet, those that are given up left out: `db.outbox.failing` has them."""
    query = select(func.count(), func.coalesce(_oldest_seconds(Notice.recorded_at), 0)).where(
        Notice.sent_at.is_(None), Notice.next_attempt_at < NEVER
    )
    number, age = (await session.execute(query)).one()
    return Queue(number, float(age))


async def not_started(session: AsyncSession) -> Queue:
    """Stored subscriptions whose workflow is still to be started (R26)."""
    query = select(func.count(), func.coalesce(_oldest_seconds(Subscription.recorded_at), 0)).where(
        Subscription.started_at.is_(None), Subscription.intake_id.is_not(None)
    )
    number, age = (await session.execute(query)).one()
    return Queue(number, float(age))


async def differences(session: AsyncSession) -> dict[str, int]:
    """What a reconciliation found, by kind, and nobody has mended or accepted; none where it keeps no table yet."""
    if await session.scalar(text("SELECT to_regclass('differences')")) is None:
        return {}
    return {row[0]: row[1] for row in (await session.execute(OPEN_DIFFERENCES)).all()}


def _oldest_seconds(recorded_at: ColumnElement[object] | object) -> ColumnElement[float]:
    return func.greatest(extract("epoch", func.now() - func.min(recorded_at)), 0)
