"""Paying an order's invoice with the customer's credits (R18, R19)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import grants, invoices, remainders
from db.models.invoice import Invoice
from db.models.ledger import CreditGrant, Entry, Movement
from db.models.order import Order
from db.subscriptions import Held
from domain import credits


async def available_minor(session: AsyncSession, held: Held, on: date) -> int:
    """What the customer's credits could pay on the day, in the subscription's currency; the grants are then locked."""
    usable = await grants.usable_grants(session, held.customer.id, held.subscription.currency, on)
    return sum(grant.remaining_minor for grant in usable)


async def pay(
    session: AsyncSession,
    held: Held,
    order: Order,
    invoice: Invoice,
    due_minor: int,
    at: datetime,
    on: date,
    quoted: Collection[str] | None = None,
) -> int:
    """Use credits for what is due, in their order of use (R18); answers the minor units paid, 0 when there are none.

    Only of the grants that were quoted, where there is a quote (R15): one granted a moment later is left alone.
    The caller holds the order's row, so the number of the use in its key cannot be taken by another.
    """
    usable = await grants.usable_grants(session, held.customer.id, invoice.currency, on)
    if quoted is not None:
        usable = [grant for grant in usable if grant.id in quoted]
    uses = credits.allocate(usable, due_minor, on)
    if not uses:
        return 0
    earlier = await session.scalar(
        select(func.count()).where(Movement.subject == order.id, Movement.kind == "use")
    )
    await grants.use(
        session,
        key=invoices.credit_key(order, (earlier or 0) + 1),
        uses=uses,
        invoice_account_id=invoice.account_id,
        currency=invoice.currency,
        at=at,
        subject=order.id,
    )
    return sum(use.amount_minor for use in uses)


async def convert_rest(session: AsyncSession, held: Held, order: Order, at: datetime) -> None:
    """What is left of a renewal bought before the move becomes promotional credit (R19).

    Only of purchases made for this very subscription and used by this order: another renewal's money stays what it is.
    """
    bought = (
        select(CreditGrant.id)
        .distinct()
        .join(Entry, Entry.account_id == CreditGrant.account_id)
        .join(Movement, Movement.id == Entry.movement_id)
        .where(
            Movement.subject == order.id,
            Movement.kind == "use",
            CreditGrant.kind == "purchase",
            CreditGrant.for_subscription_id == held.subscription.id,
        )
        .order_by(CreditGrant.id)
    )
    for grant_id in (await session.scalars(bought)).all():
        await remainders.convert(
            session,
            grant_id,
            reference=f"{order.key}/rest/{grant_id}",
            reason="the rest of a renewal bought before the move (R19)",
            by="evergreen",
            at=at,
        )
