"""What happened to one subscription, from audit, orders and letters; the words are `domain.timeline`'s."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit import AuditRecord
from db.models.invoice import Invoice
from db.models.notice import Notice
from db.models.order import Order
from db.subscriptions import Held
from domain import timeline
from domain.money import format_minor
from domain.timeline import Event

NEWEST = 100
"""Of each source, so that the page of an old subscription is not endless."""

MACHINES = {"evergreen", "payment provider", "unknown", "vendor"}


async def happened(
    session: AsyncSession, held: Held, subject_of: Callable[[Notice], str], newest: int = NEWEST
) -> list[Event]:
    """All that happened, oldest first; `subject_of` tells the subject of a letter. Three statements."""
    subscription_id = held.subscription.id
    events = [Event(held.subscription.at, "Your license came into our care.")]
    events += await _audited(session, subscription_id, newest)
    events += await _orders(session, subscription_id, newest)
    events += await _letters(session, subscription_id, subject_of, newest)
    return timeline.in_order(events)


async def _audited(session: AsyncSession, subscription_id: str, newest: int) -> list[Event]:
    query = select(AuditRecord).where(AuditRecord.subject == subscription_id)
    found = []
    for line in await session.scalars(query.order_by(AuditRecord.id.desc()).limit(newest)):
        if (told := timeline.audited(line.action, line.details)) is not None:
            text, tone = told
            found.append(Event(line.at, text, line.reason or "", tone, by=_person(line.actor)))
    return found[::-1]


async def _orders(session: AsyncSession, subscription_id: str, newest: int) -> list[Event]:
    query = (
        select(Order, Invoice.number, Invoice.total_minor, Invoice.currency)
        .join(Invoice, (Invoice.order_id == Order.id) & (Invoice.kind == "invoice"), isouter=True)
        .where(Order.subscription_id == subscription_id)
        .order_by(Order.id.desc())
        .limit(newest)
    )
    found = []
    for order, number, total_minor, currency in (await session.execute(query)).all()[::-1]:
        total = format_minor(total_minor, currency) if number else ""
        found.append(Event(order.ordered_at, timeline.ordered(order.kind, order.added_addons, number, total)))
        if order.paid_at is not None:
            found.append(Event(order.paid_at, timeline.paid(order.kind, order.added_addons)))
    return found


async def _letters(
    session: AsyncSession, subscription_id: str, subject_of: Callable[[Notice], str], newest: int
) -> list[Event]:
    query = select(Notice).where(
        Notice.subscription_id == subscription_id, Notice.audience == "customer", Notice.sent_at.is_not(None)
    )
    sent = await session.scalars(query.order_by(Notice.id.desc()).limit(newest))
    return [Event(notice.at, f"We wrote: {subject_of(notice)}", tone="letter") for notice in sent][::-1]


def _person(actor: str) -> str:
    """Who did it; empty when it was one of our machines."""
    return "" if actor in MACHINES else actor
