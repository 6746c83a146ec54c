"""What has happened to subscriptions, line by line, from orders, invoices, payments, notices and audit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit import AuditRecord
from db.models.invoice import Invoice
from db.models.license import License
from db.models.license_update import LicenseUpdate
from db.models.notice import Notice
from db.models.order import Order
from db.models.payment import Payment
from db.models.subscription import Subscription
from domain.catalogue import LicenseItem
from domain.happening import Happening, Kind
from domain.local_time import local_date
from domain.messages import Decision

AUDITED = {
    "lapse": Kind.LAPSE,
    "refund": Kind.GIVEN_BACK,
    "promise_broken": Kind.PROMISE_BROKEN,
    "end": Kind.END,
    "cancel": Kind.CANCEL,
    "resume": Kind.RESUME,
}
"""What is read from the audit; the rest is read where its money is."""


async def between(session: AsyncSession, since: datetime, until: datetime, zone: str) -> list[Happening]:
    """All that happened from `since` to before `until`, by its local day in `zone`, then by subscription."""
    failed = {
        (row.Notice.subscription_id, row.Notice.term_expires_on): row
        for row in await session.execute(_failed())
    }
    found = [
        *(_paid(row, zone) for row in await session.execute(_paid_orders(since, until))),
        *(_short(row, zone) for row in failed.values() if since <= row.Notice.at < until),
    ]
    found += [_written(row, failed, zone) for row in await session.execute(_audited(since, until))]
    return sorted(found, key=lambda one: (one.on, one.subscription_id, one.kind))


def _paid_orders(since: datetime, until: datetime) -> Select[Any]:
    """Paid orders with their invoice, license update, license, and what a card paid."""
    card = (
        select(func.coalesce(func.sum(Payment.amount_minor), 0))
        .where(Payment.invoice_id == Invoice.id, Payment.kind == "charge", Payment.status == "succeeded")
        .scalar_subquery()
    )
    return (
        select(Order, Invoice, LicenseUpdate, License.product, Subscription.customer_id, card.label("card"))
        .join(Invoice, (Invoice.order_id == Order.id) & (Invoice.kind == "invoice"))
        .join(LicenseUpdate, LicenseUpdate.order_id == Order.id)
        .join(Subscription, Subscription.id == Order.subscription_id)
        .join(License, License.id == Subscription.license_id)
        .where(Order.paid_at >= since, Order.paid_at < until)
    )


def _paid(row: Any, zone: str) -> Happening:
    order, invoice, update = row.Order, row.Invoice, row.LicenseUpdate
    return Happening(
        on=local_date(order.paid_at, zone),
        subscription_id=order.subscription_id,
        kind=Kind(order.kind),
        customer_id=row.customer_id,
        currency=invoice.currency,
        net_minor=invoice.net_minor,
        tax_minor=invoice.tax_minor,
        credits_minor=invoice.total_minor - int(row.card),
        card_minor=int(row.card),
        promise_on=local_date(update.promise_at, zone),
        expired_on=update.from_expires_on,
        covered_to=update.to_expires_on,
        item=LicenseItem(row.product, order.target_edition, order.target_size, tuple(order.target_addons)),
    )


def _failed() -> Select[Notice, str]:
    """The first payment of each term's renewal that failed; the notice of it goes out once."""
    return (
        select(Notice, Subscription.currency)
        .join(Subscription, Subscription.id == Notice.subscription_id)
        .where(Notice.kind == "payment_failed", Notice.subject == "", Notice.audience == "customer")
    )


def _short(row: Any, zone: str) -> Happening:
    notice = row.Notice
    return Happening(
        on=local_date(notice.at, zone),
        subscription_id=notice.subscription_id,
        kind=Kind.PAYMENT_FAILED,
        customer_id=notice.customer_id,
        currency=row.currency,
        reason=notice.facts["reason"],
        short_minor=notice.facts["remainder_minor"],
        expired_on=notice.term_expires_on,
    )


def _audited(since: datetime, until: datetime) -> Select[AuditRecord, Subscription]:
    return (
        select(AuditRecord, Subscription)
        .join(Subscription, Subscription.id == AuditRecord.subject)
        .where(AuditRecord.action.in_(AUDITED), AuditRecord.at >= since, AuditRecord.at < until)
    )


def _written(row: Any, failed: dict[tuple[str, date], Any], zone: str) -> Happening:
    record, subscription = row.AuditRecord, row.Subscription
    kind = AUDITED[record.action]
    reason = record.details.get("state") or record.reason or ""
    covered_to = None
    if kind in (Kind.CANCEL, Kind.RESUME):
        decision = Decision.model_validate(record.details)
        reason, covered_to = decision.outcome.value, decision.effective_on
    why = failed.get((subscription.id, subscription.expires_on))
    if kind is Kind.LAPSE and why is not None:
        reason = why.Notice.facts["reason"]
    return Happening(
        on=local_date(record.at, zone),
        subscription_id=subscription.id,
        kind=kind,
        customer_id=subscription.customer_id,
        currency=subscription.currency,
        reason=reason,
        expired_on=subscription.expires_on,
        covered_to=covered_to,
    )
