"""What a reconciliation reads: which subscriptions should run, what the vendor should show, what has stood too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import books
from db.identifiers import first_id, made_at
from db.models.audit import AuditRecord
from db.models.invoice import Invoice
from db.models.ledger import Account
from db.models.license import License
from db.models.license_update import LicenseUpdate
from db.models.notice import Notice
from db.models.order import Order
from db.models.payment import Payment
from db.models.subscription import Subscription
from db.payments import PAYMENT
from domain.differences import Difference, Kind, Shape, Taken
from domain.money import format_minor

MOST = 1000
"""So many differences of a kind are written down in one run: more say nothing new."""

ENDED = select(AuditRecord.id).where(AuditRecord.key == "end/" + Subscription.id).exists()
"""The subscription's workflow wrote its end down; only then may it be without one."""


async def should_run(session: AsyncSession, after: str, started_before: datetime, limit: int) -> list[str]:
    """Ids of subscriptions that must have a workflow, by id; those of an import just stored are the import's own."""
    query = (
        select(Subscription.id)
        .where(Subscription.id > after, ~ENDED)
        .where(or_(Subscription.started_at.is_not(None), Subscription.recorded_at < started_before))
        .order_by(Subscription.id)
        .limit(limit)
    )
    return list((await session.scalars(query)).all())


async def has_ended(session: AsyncSession, subscription_id: str) -> bool:
    """Whether its workflow wrote its end down."""
    return (await session.scalar(select(1).where(Subscription.id == subscription_id, ENDED))) is not None


async def known(session: AsyncSession, subscription_ids: Collection[str]) -> dict[str, date]:
    """Those of the ids that have a row, and when their term expires."""
    query = select(Subscription.id, Subscription.expires_on).where(Subscription.id.in_(subscription_ids))
    return {row.id: row.expires_on for row in (await session.execute(query)).all()}


async def licenses(session: AsyncSession, after: str, limit: int) -> Sequence[tuple[str, License]]:
    """Subscription id and license of each that has not ended, by subscription id."""
    query = (
        select(Subscription.id, License)
        .join(License, License.id == Subscription.license_id)
        .where(Subscription.id > after, ~ENDED)
        .order_by(Subscription.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in (await session.execute(query)).all()]


async def shapes(session: AsyncSession, license_id: str) -> tuple[Shape | None, list[Shape]]:
    """The license as our row has it now, and as each update that is under way makes it."""
    license = await session.get(License, license_id, populate_existing=True)
    if license is None:
        return None, []
    query = select(LicenseUpdate).where(
        LicenseUpdate.license_id == license_id, LicenseUpdate.state == "pending"
    )
    owed = [
        Shape(row.to_expires_on, row.target_edition, row.target_size, frozenset(row.target_addons))
        for row in (await session.scalars(query)).all()
    ]
    ours = Shape(license.vendor_expires_on, license.edition, license.size, frozenset(license.addons))
    return ours, owed


async def unsettled(
    session: AsyncSession, after: str, written_before: datetime, limit: int
) -> Sequence[Payment]:
    """Payments whose outcome nobody has known for long, by id; one that waits for its customer is not among them."""
    query = (
        select(Payment)
        .where(
            Payment.id > after,
            Payment.status.in_(("pending", "unknown")),
            Payment.recorded_at < written_before,
        )
        .order_by(Payment.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def charges(
    session: AsyncSession, keys: Collection[str] = (), references: Collection[str] = ()
) -> list[Taken]:
    """Our record of the charges with these keys or references, with what of each was given back."""
    query = select(Payment).where(
        Payment.kind == "charge",
        or_(Payment.key.in_(keys), Payment.provider_reference.in_(references)),
    )
    return await _taken(session, (await session.scalars(query)).all())


async def end_of_slice(session: AsyncSession, since: datetime, until: datetime, limit: int) -> datetime:
    """How far one may go from the first instant towards the second to meet no more than so many payments of ours."""
    query = (
        select(Payment.id)
        .where(Payment.id >= first_id(PAYMENT, since), Payment.id < first_id(PAYMENT, until))
        .order_by(Payment.id)
        .offset(limit)
        .limit(1)
    )
    beyond = await session.scalar(query)
    return until if beyond is None else max(made_at(beyond), since + timedelta(milliseconds=1))


async def charges_between(session: AsyncSession, since: datetime, until: datetime) -> list[Taken]:
    """Our charges that were begun between these instants of wall time and took money; found by their ids."""
    query = select(Payment).where(
        Payment.id >= first_id(PAYMENT, since),
        Payment.id < first_id(PAYMENT, until),
        Payment.kind == "charge",
        Payment.status == "succeeded",
    )
    return await _taken(session, (await session.scalars(query)).all())


async def _taken(session: AsyncSession, rows: Sequence[Payment]) -> list[Taken]:
    back = (
        select(Payment.refunds_id, func.sum(Payment.amount_minor))
        .where(Payment.refunds_id.in_([row.id for row in rows]), Payment.status == "succeeded")
        .group_by(Payment.refunds_id)
    )
    refunded = {charge_id: int(minor) for charge_id, minor in (await session.execute(back)).all()}
    return [
        Taken(
            reference=row.provider_reference or row.id,
            key=row.key,
            amount_minor=row.amount_minor,
            currency=row.currency,
            succeeded=row.status == "succeeded",
            refunded_minor=refunded.get(row.id, 0),
            settled=row.status in ("succeeded", "declined"),
        )
        for row in rows
    ]


async def in_the_rows(session: AsyncSession, at: datetime, written_before: datetime) -> list[Difference]:
    """What our own tables show by themselves: unsent notices, stuck orders, late updates, invoices that do not fit."""
    return [
        *await _unsent(session, written_before),
        *await _orders(session, written_before),
        *await _late(session, at),
        *await _invoices(session),
    ]


async def _unsent(session: AsyncSession, written_before: datetime) -> list[Difference]:
    """Together, not each: a mail server that is away is one thing to look at."""
    query = select(func.count(), func.min(Notice.recorded_at)).where(
        Notice.sent_at.is_(None), Notice.recorded_at < written_before
    )
    number, oldest = (await session.execute(query)).one()
    details = {"notices": number, "oldest": oldest and oldest.isoformat()}
    return [Difference(Kind.NOTICES_UNSENT, "outbox", details)] if number else []


async def _orders(session: AsyncSession, written_before: datetime) -> list[Difference]:
    missing = Order.state.in_(("paid", "fulfilled")) & LicenseUpdate.id.is_(None)
    stuck = (Order.state == "open") & (Order.kind == "addon") & (Order.recorded_at < written_before)
    query = (
        select(Order.id, Order.subscription_id, missing)
        .outerjoin(LicenseUpdate, LicenseUpdate.order_id == Order.id)
        .where(missing | stuck)
        .order_by(Order.id)
        .limit(MOST)
    )
    return [
        Difference(Kind.UPDATE_MISSING if is_missing else Kind.ORDER_STUCK, order_id, {"subscription": sub})
        for order_id, sub, is_missing in (await session.execute(query)).all()
    ]


async def _late(session: AsyncSession, at: datetime) -> list[Difference]:
    query = (
        select(LicenseUpdate.id, Order.subscription_id, LicenseUpdate.promise_at)
        .join(Order, Order.id == LicenseUpdate.order_id)
        .where(LicenseUpdate.state == "pending", LicenseUpdate.promise_at <= at)
        .order_by(LicenseUpdate.id)
        .limit(MOST)
    )
    return [
        Difference(Kind.UPDATE_LATE, update_id, {"subscription": sub, "promise_at": promise_at.isoformat()})
        for update_id, sub, promise_at in (await session.execute(query)).all()
    ]


async def _invoices(session: AsyncSession) -> list[Difference]:
    """Closed orders owe nothing; an open one that owes nothing was paid and nobody noticed."""
    owes = Account.balance_minor != 0
    wrong = case((Order.state == "open", ~owes & (Invoice.total_minor > 0)), else_=owes)
    query = (
        select(Invoice.number, Invoice.currency, Account.balance_minor, Order.state)
        .join(Order, Order.id == Invoice.order_id)
        .join(Account, Account.id == Invoice.account_id)
        .where(Invoice.kind == "invoice", wrong)
        .order_by(Invoice.number)
        .limit(MOST)
    )
    return [
        Difference(
            Kind.INVOICE_DIFFERS, number, {"order": state, "owed": format_minor(-(balance or 0), currency)}
        )
        for number, currency, balance, state in (await session.execute(query)).all()
    ]


async def in_the_books(session: AsyncSession) -> list[Difference]:
    """Trial balance, and balances and movements that somebody has changed past the guards (R17)."""
    totals: Counter[str] = Counter()
    for row in await books.trial_balance(session):
        totals[row.currency] += row.balance_minor
    found = [
        Difference(Kind.TRIAL_BALANCE, currency, {"off_by": format_minor(total_minor, currency)})
        for currency, total_minor in sorted(totals.items())
        if total_minor
    ]
    found += [
        Difference(
            Kind.LEDGER_BROKEN,
            f"{broken.what} {broken.id}",
            {"kept_minor": broken.kept_minor, "summed_minor": broken.summed_minor},
        )
        for broken in await books.broken_accounts(session, MOST)
    ]
    return found
