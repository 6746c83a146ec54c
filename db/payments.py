"""Card payments: rows written before the provider is called and completed after it (R25)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.identifiers import new_id
from db.models.customer import Customer
from db.models.invoice import Invoice
from db.models.order import Order
from db.models.payment import Payment
from domain.card import SavedCard

PAYMENT = "pay"
"""What the id of a payment begins with."""


class UnknownPayment(LookupError):
    """No payment has this id."""


async def live_charge(session: AsyncSession, invoice_id: str) -> Payment | None:
    """The charge of the invoice that is under way or done: there is at most one, the database holds that."""
    query = select(Payment).where(
        Payment.invoice_id == invoice_id, Payment.kind == "charge", Payment.status != "declined"
    )
    return (await session.scalars(query.with_for_update())).one_or_none()


async def last_decline(session: AsyncSession, invoice_id: str) -> Payment | None:
    """The latest declined charge of the invoice."""
    query = (
        select(Payment)
        .where(Payment.invoice_id == invoice_id, Payment.kind == "charge", Payment.status == "declined")
        .order_by(Payment.recorded_at.desc(), Payment.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def begin_charge(
    session: AsyncSession,
    invoice: Invoice,
    order_key: str,
    amount_minor: int,
    payment_method: str,
    at: datetime,
) -> Payment:
    """Write down that the amount is about to be charged, under a key that is never used again."""
    earlier = await session.scalar(
        select(func.count()).where(Payment.invoice_id == invoice.id, Payment.kind == "charge")
    )
    payment = Payment(
        id=new_id(PAYMENT),
        invoice_id=invoice.id,
        key=f"{order_key}/charge/{(earlier or 0) + 1}",
        kind="charge",
        amount_minor=amount_minor,
        currency=invoice.currency,
        status="pending",
        provider="stripe",
        payment_method=payment_method,
        at=at,
    )
    session.add(payment)
    await session.flush()
    return payment


def begin_refund(
    session: AsyncSession, charge: Payment, amount_minor: int, reference: str, at: datetime
) -> Payment:
    """Write down that part of a charge is about to be given back (R20)."""
    payment = Payment(
        id=new_id(PAYMENT),
        invoice_id=charge.invoice_id,
        key=f"{charge.key}/refund/{reference}",
        kind="refund",
        amount_minor=amount_minor,
        currency=charge.currency,
        status="pending",
        provider=charge.provider,
        refunds_id=charge.id,
        at=at,
    )
    session.add(payment)
    return payment


async def by_id(session: AsyncSession, payment_id: str) -> Payment:
    """The payment of this id, its row held to the end of the transaction. Raises UnknownPayment."""
    query = select(Payment).where(Payment.id == payment_id).with_for_update()
    payment = (await session.scalars(query)).one_or_none()
    if payment is None:
        raise UnknownPayment(f"there is no payment {payment_id}")
    return payment


async def refundable(session: AsyncSession, invoice_id: str) -> list[tuple[Payment, int]]:
    """The invoice's charges with what of each is not given back yet, in minor units, newest first."""
    rows: Sequence[Payment] = (
        await session.scalars(
            select(Payment)
            .where(Payment.invoice_id == invoice_id, Payment.status != "declined")
            .order_by(Payment.recorded_at.desc(), Payment.id.desc())
            .with_for_update()
        )
    ).all()
    given_back: dict[str, int] = {}
    for row in rows:
        if row.refunds_id is not None:
            given_back[row.refunds_id] = given_back.get(row.refunds_id, 0) + row.amount_minor
    charges = [row for row in rows if row.kind == "charge" and row.status == "succeeded"]
    return [(charge, charge.amount_minor - given_back.get(charge.id, 0)) for charge in charges]


async def pending_refunds(session: AsyncSession, invoice_id: str) -> list[str]:
    """Ids of the invoice's refunds that the provider has still to carry out."""
    query = select(Payment.id).where(
        Payment.invoice_id == invoice_id,
        Payment.kind == "refund",
        Payment.status.in_(("pending", "unknown")),
    )
    return list((await session.scalars(query.order_by(Payment.id))).all())


async def know_card(session: AsyncSession, customer_id: str, payment_id: str, saved: SavedCard) -> None:
    """Keep the provider's own ids of a customer and their card, saved for this payment."""
    await session.execute(
        update(Customer)
        .where(Customer.id == customer_id)
        .values(provider_customer_id=saved.customer_reference, card_token=saved.payment_method)
    )
    await session.execute(
        update(Payment).where(Payment.id == payment_id).values(payment_method=saved.payment_method)
    )


async def awaiting_confirmation(session: AsyncSession, key: str) -> str | None:
    """The id of the subscription whose charge of this key waits for the customer; None if none does."""
    query = (
        select(Order.subscription_id)
        .join(Invoice, Invoice.order_id == Order.id)
        .join(Payment, Payment.invoice_id == Invoice.id)
        .where(Payment.key == key, Payment.status == "action_required")
    )
    return (await session.scalars(query)).first()


async def refund_of_key(session: AsyncSession, key: str) -> Payment | None:
    """Our refund with this key; None: it is none of ours."""
    query = select(Payment).where(Payment.key == key, Payment.kind == "refund")
    return (await session.scalars(query)).one_or_none()


async def order_of(session: AsyncSession, invoice_id: str) -> str:
    """The id of the order that the invoice is for; empty if it is for none."""
    return (await session.scalar(select(Invoice.order_id).where(Invoice.id == invoice_id))) or ""
