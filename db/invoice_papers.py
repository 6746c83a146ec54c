"""Reading invoices and credit notes whole: their lines, what paid them grant by grant, and what corrects them.

Issuing them is in `db.invoices`, how they look in `papers/`. Whatever is asked for takes the same four statements,
however long its history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.invoices import UnknownInvoice
from db.models.invoice import Invoice, InvoiceLine
from db.models.ledger import Account, CreditGrant, Entry, Movement
from db.models.payment import Payment

Source = Literal["promotional", "purchase", "card"]
Accounts = Select[str]
"""The ledger accounts of the invoices that are asked for; a credit note's is that of its invoice."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line; `days` of `term_days` are charged on an add-on's (R14)."""

    kind: str
    description: str
    amount_minor: int
    days: int | None
    term_days: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """Money that a grant or a card paid (above zero), or that went back to it (below zero) (R18, R20)."""

    source: Source
    reference: str
    """The grant's reference, or the payment provider's of a charge or refund."""
    amount_minor: int
    at: datetime
    asked_at: datetime
    """When it was decided: a card's refund may take days more."""
    done: bool = True
    """Only a refund to a card can be under way: the ledger has it, the card has not yet (R20)."""


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """A credit note, as the invoice that it corrects names it; its total is zero or below."""

    number: str
    total_minor: int
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """One document with everything that is written on it; amounts in minor units of its currency (R11).

    `parts` of an invoice are all that was paid on it and given back; of a credit note what went back with it.
    """

    number: str
    kind: Literal["invoice", "credit_note"]
    customer_id: str
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    due_minor: int
    """Still owed; zero on a credit note."""
    bill_to_name: str
    bill_to_country: str
    issued_at: datetime
    corrects: str | None
    """The number of the invoice that a credit note corrects."""
    lines: tuple[LineFacts, ...]
    parts: tuple[Part, ...]
    notes: tuple[NoteFacts, ...]
    """The credit notes that correct an invoice, oldest first."""

    @property
    def paid_minor(self) -> int:
        """All that was paid, whatever went back later."""
        return sum(part.amount_minor for part in self.parts if part.amount_minor > 0)

    @property
    def returned_minor(self) -> int:
        """All that went back, zero or below (R20)."""
        return sum(part.amount_minor for part in self.parts if part.amount_minor < 0)

    @property
    def credited_minor(self) -> int:
        """What credit notes take off the total, zero or below."""
        return sum(note.total_minor for note in self.notes)


async def by_number(session: AsyncSession, number: str) -> InvoiceFacts:
    """The invoice or credit note of this number. Raises UnknownInvoice."""
    wanted = number.strip().upper()
    family = await _read(session, select(Invoice.account_id).where(Invoice.number == wanted))
    for facts in family:
        if facts.number == wanted:
            return facts
    raise UnknownInvoice(
        f"there is no invoice {number}: its number is like INV-2027-000012, see `evergreen invoices CUSTOMER`"
    )


async def of_customer(session: AsyncSession, customer_id: str) -> list[InvoiceFacts]:
    """The customer's invoices and credit notes, oldest first."""
    return await _read(session, select(Invoice.account_id).where(Invoice.customer_id == customer_id))


async def _read(session: AsyncSession, accounts: Accounts) -> list[InvoiceFacts]:
    corrected = aliased(Invoice)
    documents = (
        select(Invoice, Account.balance_minor, corrected.number.label("corrects"))
        .join(Account, Account.id == Invoice.account_id)
        .outerjoin(corrected, corrected.id == Invoice.corrects_id)
        .where(Invoice.account_id.in_(accounts))
        .order_by(Invoice.issued_at, Invoice.kind.desc(), Invoice.number)
    )
    rows = (await session.execute(documents)).all()
    if not rows:
        return []
    lines = await _lines(session, accounts)
    parts = await _parts(session, accounts)
    notes: dict[str, list[NoteFacts]] = defaultdict(list)
    for invoice, _balance, _corrects in rows:
        if invoice.kind == "credit_note":
            notes[invoice.account_id].append(
                NoteFacts(invoice.number, invoice.total_minor, invoice.issued_at)
            )
    return [
        _facts(
            invoice,
            balance_minor or 0,
            corrects,
            lines[invoice.id],
            parts[invoice.account_id],
            notes[invoice.account_id],
        )
        for invoice, balance_minor, corrects in rows
    ]


def _facts(
    invoice: Invoice,
    balance_minor: int,
    corrects: str | None,
    lines: list[LineFacts],
    parts: list[Part],
    notes: list[NoteFacts],
) -> InvoiceFacts:
    is_note = invoice.kind == "credit_note"
    return InvoiceFacts(
        number=invoice.number,
        kind="credit_note" if is_note else "invoice",
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        net_minor=invoice.net_minor,
        tax_minor=invoice.tax_minor,
        total_minor=invoice.total_minor,
        due_minor=0 if is_note else -balance_minor,
        bill_to_name=invoice.bill_to_name,
        bill_to_country=invoice.bill_to_country,
        issued_at=invoice.issued_at,
        corrects=corrects,
        lines=tuple(lines),
        parts=tuple(_returned_with(invoice.number, parts, notes) if is_note else parts),
        notes=() if is_note else tuple(notes),
    )


def _returned_with(number: str, parts: Sequence[Part], notes: Sequence[NoteFacts]) -> list[Part]:
    """What went back with one of an invoice's credit notes: decided at its issue, and before that of the next."""
    found = []
    for part in parts:
        if part.amount_minor < 0:
            before = [note for note in notes if note.issued_at <= part.asked_at] or notes[:1]
            if before[-1].number == number:
                found.append(part)
    return found


async def _lines(session: AsyncSession, accounts: Accounts) -> dict[str, list[LineFacts]]:
    """The lines of each document, by its id."""
    query = (
        select(InvoiceLine)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.account_id.in_(accounts))
        .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
    )
    found: dict[str, list[LineFacts]] = defaultdict(list)
    for line in (await session.scalars(query)).all():
        found[line.invoice_id].append(
            LineFacts(
                kind=line.kind,
                description=line.description,
                amount_minor=line.amount_minor,
                days=_whole(line.details, "days"),
                term_days=_whole(line.details, "term_days"),
            )
        )
    return found


def _whole(details: dict[str, Any], name: str) -> int | None:
    value = details.get(name)
    return value if isinstance(value, int) else None


async def _parts(session: AsyncSession, accounts: Accounts) -> dict[str, list[Part]]:
    """What was paid and given back, by the account it was paid on: oldest first, credits in their order of use."""
    found: dict[str, list[Part]] = defaultdict(list)
    for row in await session.execute(_credits(accounts)):
        source: Source = "purchase" if row.kind == "purchase" else "promotional"
        found[row.account_id].append(Part(source, row.reference, -row.amount_minor, row.at, row.at))
    for account_id, payment in (await session.execute(_cards(accounts))).all():
        amount_minor = payment.amount_minor if payment.kind == "charge" else -payment.amount_minor
        reference = payment.provider_reference or payment.key
        done_at = payment.completed_at or payment.at
        done = payment.status == "succeeded"
        found[account_id].append(Part("card", reference, amount_minor, done_at, payment.at, done))
    for parts in found.values():
        parts.sort(key=lambda part: part.at)
    return found


def _credits(accounts: Accounts) -> Select[str, str, str, int, datetime]:
    """Entries on grants by any movement on an invoice's account, or about its order: every penny, both ways (R18)."""
    on_account = select(Entry.account_id, Entry.movement_id).where(Entry.account_id.in_(accounts))
    about_order = (
        select(Invoice.account_id, Movement.id.label("movement_id"))
        .join(Movement, Movement.subject == Invoice.order_id)
        .where(Invoice.account_id.in_(accounts), Invoice.kind == "invoice")
    )
    touching = union(on_account, about_order).subquery()
    return (
        select(
            touching.c.account_id,
            CreditGrant.kind,
            CreditGrant.reference,
            Entry.amount_minor,
            Movement.at,
        )
        .join(Movement, Movement.id == touching.c.movement_id)
        .join(Entry, Entry.movement_id == Movement.id)
        .join(CreditGrant, CreditGrant.account_id == Entry.account_id)
        .order_by(Movement.at, Entry.id)
    )


def _cards(accounts: Accounts) -> Select[str, Payment]:
    """Charges that the provider has carried out, and refunds, for which that is only a matter of time."""
    return (
        select(Invoice.account_id, Payment)
        .join(Payment, Payment.invoice_id == Invoice.id)
        .where(Invoice.account_id.in_(accounts), or_(Payment.kind == "refund", Payment.status == "succeeded"))
        .order_by(Payment.at, Payment.id)
    )
