"""What is written down about a subscription, from audit, orders, ledger and notices: lines with rule and reason."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit import AuditRecord
from db.models.intake import Intake
from db.models.invoice import Invoice
from db.models.ledger import CreditGrant, Entry, Movement
from db.models.notice import Notice
from db.models.order import Order
from db.subscriptions import Held
from domain import explanation, timeline
from domain.explanation import Line
from domain.messages import Decision
from domain.money import format_minor


async def past(session: AsyncSession, held: Held) -> list[Line]:
    """All that happened to it, oldest first."""
    lines = [await _arrival(session, held)]
    lines += await _audited(session, held)
    lines += await _ordered(session, held)
    lines += await _moved(session, held)
    lines += await _told(session, held)
    return sorted(lines, key=lambda line: line.at)


async def decisions(session: AsyncSession, subscription_id: str) -> Sequence[Decision]:
    """The cancellations that were decided, oldest first: what receipts are written for."""
    query = (
        select(AuditRecord.details)
        .where(AuditRecord.subject == subscription_id, AuditRecord.action == "cancel")
        .order_by(AuditRecord.id)
    )
    return [Decision.model_validate(details) for details in await session.scalars(query)]


async def _arrival(session: AsyncSession, held: Held) -> Line:
    intake = await session.get(Intake, held.subscription.intake_id) if held.subscription.intake_id else None
    why = f"in {intake.filename}, by {intake.requested_by}" if intake else ""
    return Line(held.subscription.at, "The license came into our care.", "R26", why, "intake")


async def _audited(session: AsyncSession, held: Held) -> list[Line]:
    query = select(AuditRecord).where(AuditRecord.subject.in_((held.subscription.id, held.license.id)))
    return [
        explanation.audited(one.at, one.actor, one.action, one.details, one.reason)
        for one in await session.scalars(query.order_by(AuditRecord.id))
    ]


async def _ordered(session: AsyncSession, held: Held) -> list[Line]:
    query = (
        select(Order, Invoice.number, Invoice.total_minor, Invoice.currency)
        .join(Invoice, (Invoice.order_id == Order.id) & (Invoice.kind == "invoice"), isouter=True)
        .where(Order.subscription_id == held.subscription.id)
        .order_by(Order.id)
    )
    lines = []
    for order, number, total_minor, currency in (await session.execute(query)).all():
        total = format_minor(total_minor, currency) if number else ""
        words = timeline.ordered(order.kind, order.added_addons, number, total)
        rule = {"renewal": "R21", "addon": "R14, R15"}.get(order.kind, "R27")
        term = f"for the term {order.term_starts_on} … {order.term_expires_on}"
        lines.append(Line(order.ordered_at, words, rule, term, "order"))
        if order.paid_at is not None:
            promise = f"the license is to be updated by {order.promise_at:%Y-%m-%d %H:%M} UTC"
            paid = timeline.paid(order.kind, order.added_addons)
            lines.append(Line(order.paid_at, paid, "R5, R21", promise, "order"))
    return lines


async def _moved(session: AsyncSession, held: Held) -> list[Line]:
    """Movements about its orders, and grants that were bought for it."""
    mine = select(Order.id).where(Order.subscription_id == held.subscription.id)
    bought = select(CreditGrant.id).where(CreditGrant.for_subscription_id == held.subscription.id)
    query = (
        select(Movement, Entry.currency, func.max(Entry.amount_minor))
        .join(Entry, Entry.movement_id == Movement.id)
        .where(or_(Movement.subject.in_(mine), Movement.subject.in_(bought)))
        .group_by(Movement.id, Entry.currency)
        .order_by(Movement.id)
    )
    return [
        explanation.moved(movement.at, movement.kind, amount_minor, currency, movement.key)
        for movement, currency, amount_minor in (await session.execute(query)).all()
    ]


async def _told(session: AsyncSession, held: Held) -> list[Line]:
    query = select(Notice).where(Notice.subscription_id == held.subscription.id).order_by(Notice.id)
    return [
        explanation.told(one.at, one.kind, one.audience, one.sent_at) for one in await session.scalars(query)
    ]
