"""Giving back what an invoice was paid with: credits to their grants, the card part to the card (R20, R22).

One transaction writes the credit note, the ledger's movements and the card refunds still to be carried out; the
provider is called afterwards. A refund is keyed, so the same one again changes nothing (R25).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import grants, invoices, ledger, payments, remainders
from db.ledger import Posting, system_account
from db.models.customer import Customer
from db.models.invoice import Invoice
from db.models.ledger import CreditGrant, Entry, Movement
from db.models.order import Order
from db.models.payment import Payment
from domain.money import format_minor, share
from domain.pricing import Bill, Line, LineKind


class NothingLeft(Exception):
    """More is asked back than the invoice has left; the text says how much that is."""


@dataclass(frozen=True)
class GivenBack:
    """How much went back, in minor units (0: it went back before), and which card refunds are still to be done."""

    amount_minor: int
    pending: list[str]


async def give_back(
    session: AsyncSession,
    invoice: Invoice,
    order: Order,
    customer: Customer,
    reference: str,
    at: datetime,
    on: date,
    amount_minor: int | None = None,
) -> GivenBack:
    """Give back an invoice, or part of it; answers how much, and the card refunds that are now to be carried out.

    Without an amount all that is left, whatever of it was paid. With one the card's part goes first, then credits,
    the last used first. Credits that return to an expired grant expire again. Raises NothingLeft.
    """
    key = f"{order.key}/refund/{reference}"
    if await ledger.find(session, f"{key}/note") is not None:
        return GivenBack(0, await payments.pending_refunds(session, invoice.id))
    left_minor = invoice.total_minor + await _credited_minor(session, invoice)
    wanted_minor = left_minor if amount_minor is None else amount_minor
    if not 0 < wanted_minor <= left_minor:
        raise NothingLeft(
            f"{invoice.number} has {format_minor(left_minor, invoice.currency)} left to give back, "
            f"not {format_minor(wanted_minor, invoice.currency)}"
        )
    postings = await _returns(session, invoice, order, reference, wanted_minor, at)
    if postings:
        total_minor = sum(posting.amount_minor for posting in postings)
        await ledger.post(
            session,
            key=key,
            kind="refund",
            postings=[*postings, Posting(invoice.account_id, -total_minor)],
            currency=invoice.currency,
            at=at,
            subject=order.id,
        )
    bill = await _bill(session, invoice, wanted_minor, whole=wanted_minor == invoice.total_minor)
    await invoices.credit(session, invoice, order, customer, bill, f"{key}/note", at)
    for grant_id in await _expired(session, [posting.account_id for posting in postings], on):
        await remainders.expire(session, grant_id, on=on, at=at)
    await session.flush()
    return GivenBack(wanted_minor, await payments.pending_refunds(session, invoice.id))


async def bounced(session: AsyncSession, refund: Payment, customer_id: str, at: datetime) -> None:
    """The card did not take a refund: what was on its way there is put on the customer's account, once (R20)."""
    await grants.grant(
        session,
        customer_id,
        "purchase",
        refund.amount_minor,
        refund.currency,
        reference=refund.key,
        reason="a refund that the card did not take (R20)",
        by="evergreen",
        at=at,
        source="card",
    )


async def _returns(
    session: AsyncSession, invoice: Invoice, order: Order, reference: str, wanted_minor: int, at: datetime
) -> list[Posting]:
    """What goes back where: card first, then credits, the last used first; no more than was paid."""
    postings = []
    card_minor = 0
    for charge, left_minor in await payments.refundable(session, invoice.id):
        back_minor = min(left_minor, wanted_minor)
        if back_minor:
            payments.begin_refund(session, charge, back_minor, reference, at)
            card_minor += back_minor
            wanted_minor -= back_minor
    if card_minor:
        postings.append(Posting(system_account("card", invoice.currency), card_minor))
    for account_id, used_minor in await _used(session, order):
        back_minor = min(used_minor, wanted_minor)
        if back_minor:
            postings.append(Posting(account_id, back_minor))
            wanted_minor -= back_minor
    return postings


async def _used(session: AsyncSession, order: Order) -> list[tuple[str, int]]:
    """Grant accounts and what the order has used of each and not given back, the last used first."""
    used = func.sum(-Entry.amount_minor)
    query = (
        select(Entry.account_id, used)
        .join(Movement, Movement.id == Entry.movement_id)
        .where(Movement.subject == order.id, Entry.account_id.startswith("grant/"))
        .group_by(Entry.account_id)
        .having(used > 0)
        .order_by(func.max(Entry.id).desc())
    )
    return [(account_id, int(minor)) for account_id, minor in (await session.execute(query)).all()]


async def _credited_minor(session: AsyncSession, invoice: Invoice) -> int:
    """What credit notes have taken off the invoice, zero or below."""
    query = select(func.coalesce(func.sum(Invoice.total_minor), 0)).where(Invoice.corrects_id == invoice.id)
    return int((await session.scalars(query)).one())


async def _bill(session: AsyncSession, invoice: Invoice, amount_minor: int, whole: bool) -> Bill:
    """The lines of the credit note: the opposite of each line, or for a part its net and tax, half-up once (R11)."""
    lines = await invoices.lines_of(session, invoice.id)
    if whole:
        opposite = (Line(LineKind(line.kind), line.description, -line.amount_minor) for line in lines)
        return Bill(tuple(opposite), invoice.currency)
    tax_minor = share(amount_minor, invoice.tax_minor, invoice.total_minor)
    part = [Line(LineKind(lines[0].kind), f"Refund of part of {invoice.number}", tax_minor - amount_minor)]
    if tax_minor:
        part.append(Line(LineKind.TAX, "Tax", -tax_minor))
    return Bill(tuple(part), invoice.currency)


async def _expired(session: AsyncSession, account_ids: list[str], on: date) -> list[str]:
    query = select(CreditGrant.id).where(CreditGrant.account_id.in_(account_ids), CreditGrant.expires_on < on)
    return list((await session.scalars(query.order_by(CreditGrant.id))).all())
