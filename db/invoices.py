"""Invoices and credit notes: numbered without gaps, never changed, and posted to the ledger as they are issued."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import DateTime, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db import grants, ledger
from db.identifiers import new_id
from db.ledger import NewAccount, NewMovement, Posting, system_account
from db.models.customer import Customer
from db.models.invoice import Invoice, InvoiceLine
from db.models.ledger import Account
from db.models.order import Order
from domain.credits import Use
from domain.pricing import Bill, Line, LineKind


async def issue(session: AsyncSession, order: Order, customer: Customer, bill: Bill, at: datetime) -> Invoice:
    """Invoice an order: what is now owed as one movement, its lines and its number (R15, R17). Two statements.

    What costs nothing moves nothing: its invoice is paid as it is issued.
    """
    invoice = await owe(session, order, customer, bill, at)
    await number(session, invoice, bill)
    return invoice


async def owe(
    session: AsyncSession,
    order: Order,
    customer: Customer,
    bill: Bill,
    at: datetime,
    uses: Sequence[Use] = (),
) -> Invoice:
    """Post what an order costs, and of that at once what these credits pay (R18). One statement.

    The invoice that is answered has no number yet: `number` gives it one and stores it.
    """
    invoice = _drafted("INV", order, customer, bill, at)
    account = NewAccount(invoice.account_id, "invoice", bill.currency, customer.id)
    movements = []
    if postings := _owed(invoice, bill):
        movements.append(
            NewMovement(f"{order.key}/invoice", "invoice", tuple(postings), bill.currency, order.id)
        )
    if uses:
        key = credit_key(order, 1)
        movements.append(grants.using(key, uses, invoice.account_id, bill.currency, order.id))
    await ledger.post_all(session, movements, at=at, opens=[account])
    return invoice


def credit_key(order: Order, ordinal: int) -> str:
    """The key under which credits pay an order for the n-th time (R17)."""
    return f"{order.key}/credits/{ordinal}"


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
    note = _drafted("CRN", order, customer, bill, at, corrects=invoice)
    await ledger.post(
        session,
        key=key,
        kind="void",
        postings=_owed(note, bill),
        currency=bill.currency,
        at=at,
        subject=order.id,
    )
    await number(session, note, bill)
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


def _drafted(
    prefix: str,
    order: Order,
    customer: Customer,
    bill: Bill,
    at: datetime,
    corrects: Invoice | None = None,
) -> Invoice:
    """The document as it will be but for its number; in no session, so that nobody stores it without one."""
    invoice_id = new_id("inv" if corrects is None else "crn")
    return Invoice(
        id=invoice_id,
        series=f"{prefix}-{at.year}",
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
        account_id=ledger.invoice_account(invoice_id) if corrects is None else corrects.account_id,
        issued_at=at,
    )


_DRAFTED = (
    "id", "series", "kind", "corrects_id", "order_id", "customer_id", "currency", "net_minor", "tax_minor",
    "total_minor", "bill_to_name", "bill_to_country", "account_id",
)  # fmt: skip

# The next number, the document and its lines in one round trip: while the number is held no other gets one.
_NUMBER = text(f"""
WITH next AS (
    INSERT INTO invoice_series (series, next_number) VALUES (:series, 2)
    ON CONFLICT (series) DO UPDATE SET next_number = invoice_series.next_number + 1
    RETURNING next_number - 1 AS sequence
), document AS (
    INSERT INTO invoices ({", ".join(_DRAFTED)}, issued_at, sequence, number)
    SELECT {", ".join(f"d.{column}" for column in _DRAFTED)}, :issued_at, next.sequence,
        d.series || '-' || lpad(next.sequence::text, greatest(6, length(next.sequence::text)), '0')
    FROM next, jsonb_populate_record(NULL::invoices, CAST(:document AS jsonb)) AS d
    RETURNING id, sequence, number, recorded_at
), lines AS (
    INSERT INTO invoice_lines (invoice_id, position, kind, description, amount_minor, details)
    SELECT document.id, l.position, l.kind, l.description, l.amount_minor, l.details
    FROM document, jsonb_populate_recordset(NULL::invoice_lines, CAST(:lines AS jsonb)) AS l
)
SELECT sequence, number, recorded_at FROM document
""").bindparams(bindparam("issued_at", type_=DateTime(timezone=True)))  # noqa: S608  # names of columns, ours


async def number(session: AsyncSession, invoice: Invoice, bill: Bill) -> None:
    """Give the document its number and store it with its lines. One statement, and the last to be made.

    Its series is locked until the transaction ends, so no number is skipped; whoever else needs one waits for that.
    """
    lines = [
        {
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
    document = {column: getattr(invoice, column) for column in _DRAFTED}
    values = {
        "series": invoice.series,
        "issued_at": invoice.issued_at,
        "document": json.dumps(document),
        "lines": json.dumps(lines),
    }
    row = (await session.execute(_NUMBER, values)).one()
    invoice.sequence, invoice.number, invoice.recorded_at = row.sequence, row.number, row.recorded_at
