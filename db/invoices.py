"""Invoices and credit notes: numbered without gaps, never changed, and posted to the ledger as they are issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from db import ledger
from db.identifiers import new_id
from db.ledger import Posting, system_account
from db.models.customer import Customer
from db.models.invoice import Invoice, InvoiceLine, InvoiceSeries
from db.models.ledger import Account
from db.models.order import Order
from domain.pricing import Bill, Line, LineKind


async def issue(session: AsyncSession, order: Order, customer: Customer, bill: Bill, at: datetime) -> Invoice:
    """Invoice an order: its lines, its number and what is now owed, as one movement (R15, R17). Four statements.

    What costs nothing moves nothing: its invoice is paid as it is issued.
    """
    invoice = await _numbered(session, "INV", order, customer, bill, at)
    if postings := _owed(invoice, bill):
        await ledger.post(
            session,
            key=f"{order.key}/invoice",
            kind="invoice",
            postings=postings,
            currency=bill.currency,
            at=at,
            subject=order.id,
        )
    return invoice


async def credit(
    session: AsyncSession,
    invoice: Invoice,
    order: Order,
    customer: Customer,
    bill: Bill,
    key: str,
    at: datetime,
) -> Invoice:
    """Issue a credit note over these lines, whose amounts are below zero: so much less was ever owed (R20, R22)."""
    note = await _numbered(session, "CRN", order, customer, bill, at, corrects=invoice)
    await ledger.post(
        session,
        key=key,
        kind="void",
        postings=_owed(note, bill),
        currency=bill.currency,
        at=at,
        subject=order.id,
    )
    return note


class NotInvoiced(LookupError):
    """The order has no invoice."""


class UnknownInvoice(LookupError):
    """No invoice has this number."""


async def by_number(session: AsyncSession, number: str) -> Invoice:
    """The invoice of this number. Raises UnknownInvoice; a credit note is none."""
    query = select(Invoice).where(Invoice.number == number.strip().upper(), Invoice.kind == "invoice")
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise UnknownInvoice(f"there is no invoice {number}")
    return found


async def by_id(session: AsyncSession, invoice_id: str) -> Invoice:
    """The invoice or credit note of this id; one of our own rows names it."""
    return (await session.scalars(select(Invoice).where(Invoice.id == invoice_id))).one()


async def of_order(session: AsyncSession, order_id: str) -> tuple[Invoice, int]:
    """The order's invoice and what is still due on it, in minor units. Raises NotInvoiced."""
    query = (
        select(Invoice, Account.balance_minor)
        .join(Account, Account.id == Invoice.account_id)
        .where(Invoice.order_id == order_id, Invoice.kind == "invoice")
        .with_for_update(of=Account, key_share=True)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotInvoiced(f"order {order_id} has no invoice")
    return row[0], -(row[1] or 0)


async def lines_of(session: AsyncSession, invoice_id: str) -> Sequence[InvoiceLine]:
    """The lines in their order."""
    query = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice_id).order_by(InvoiceLine.position)
    return (await session.scalars(query)).all()


def as_billed(line: InvoiceLine) -> Line:
    """The line as it was reckoned."""
    return Line(LineKind(line.kind), line.description, line.amount_minor, **line.details)


def _owed(invoice: Invoice, bill: Bill) -> list[Posting]:
    parts = [
        (invoice.account_id, -bill.total_minor),
        (system_account("revenue", bill.currency), bill.net_minor),
        (system_account("tax", bill.currency), bill.tax_minor),
    ]
    return [Posting(account_id, amount_minor) for account_id, amount_minor in parts if amount_minor]


async def _numbered(
    session: AsyncSession,
    prefix: str,
    order: Order,
    customer: Customer,
    bill: Bill,
    at: datetime,
    corrects: Invoice | None = None,
) -> Invoice:
    """Write the document and its lines; its series is locked until the transaction ends, so no number is skipped."""
    series = f"{prefix}-{at.year}"
    sequence = await _next_number(session, series)
    invoice_id = new_id("inv" if corrects is None else "crn")
    account_id = (
        corrects.account_id
        if corrects is not None
        else await ledger.open_invoice_account(
            session, invoice_id, customer_id=customer.id, currency=bill.currency
        )
    )
    invoice = Invoice(
        id=invoice_id,
        series=series,
        sequence=sequence,
        number=f"{series}-{sequence:06d}",
        kind="invoice" if corrects is None else "credit_note",
        corrects_id=None if corrects is None else corrects.id,
        order_id=order.id,
        customer_id=customer.id,
        currency=bill.currency,
        net_minor=bill.net_minor,
        tax_minor=bill.tax_minor,
        total_minor=bill.total_minor,
        bill_to_name=customer.name,
        bill_to_country=customer.country,
        account_id=account_id,
        issued_at=at,
    )
    session.add(invoice)
    await session.flush()
    rows = [
        {
            "invoice_id": invoice_id,
            "position": position,
            "kind": line.kind,
            "description": line.description,
            "amount_minor": line.amount_minor,
            "details": {
                name: value
                for name, value in asdict(line).items()
                if value is not None and name not in ("kind", "description", "amount_minor")
            },
        }
        for position, line in enumerate(bill.lines, start=1)
    ]
    await session.execute(insert(InvoiceLine), rows)
    return invoice


async def _next_number(session: AsyncSession, series: str) -> int:
    statement = (
        upsert(InvoiceSeries)
        .values(series=series, next_number=2)
        .on_conflict_do_update(index_elements=["series"], set_={"next_number": InvoiceSeries.next_number + 1})
        .returning(InvoiceSeries.next_number - 1)
    )
    return (await session.scalars(statement)).one()
