"""What is written down about a customer or a subscription besides its own row: audit, letters, orders. For staff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit import AuditRecord
from db.models.invoice import Invoice
from db.models.license_update import LicenseUpdate
from db.models.notice import Notice
from db.models.order import Order
from db.models.subscription import Subscription

NEWEST = 100


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order, its invoice's number and its license update's id, where there are any yet."""

    order: Order
    invoice: str | None
    update_id: str | None


async def audit_of(
    session: AsyncSession, subjects: Iterable[str], limit: int = NEWEST
) -> Sequence[AuditRecord]:
    """The newest lines of the audit about any of these ids (R29). One statement."""
    query = select(AuditRecord).where(AuditRecord.subject.in_(list(subjects)))
    return (await session.scalars(query.order_by(AuditRecord.id.desc()).limit(limit))).all()


async def notices_of(session: AsyncSession, customer_id: str, limit: int = NEWEST) -> Sequence[Notice]:
    """The newest letters about a customer, to them and to staff."""
    query = select(Notice).where(Notice.customer_id == customer_id)
    return (await session.scalars(query.order_by(Notice.id.desc()).limit(limit))).all()


async def subscription_ids(session: AsyncSession, customer_id: str, limit: int = 1000) -> list[str]:
    """Of all that the customer has or had."""
    query = select(Subscription.id).where(Subscription.customer_id == customer_id).limit(limit)
    return list((await session.scalars(query)).all())


async def orders_of(session: AsyncSession, subscription_id: str, limit: int = NEWEST) -> list[OrderLine]:
    """A subscription's orders, newest first."""
    query = (
        select(Order, Invoice.number, LicenseUpdate.id)
        .join(Invoice, (Invoice.order_id == Order.id) & (Invoice.kind == "invoice"), isouter=True)
        .join(LicenseUpdate, LicenseUpdate.order_id == Order.id, isouter=True)
        .where(Order.subscription_id == subscription_id)
        .order_by(Order.id.desc())
        .limit(limit)
    )
    return [OrderLine(*row) for row in (await session.execute(query)).all()]
