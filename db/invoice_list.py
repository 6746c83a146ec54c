"""A customer's invoices and credit notes as a list: what one line needs, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.invoice import Invoice
from db.models.ledger import Account

ON_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """One line; amounts in minor units of its currency, `due_minor` is what is still owed."""

    id: str
    number: str
    kind: str
    currency: str
    total_minor: int
    due_minor: int
    issued_at: datetime


async def of_customer(
    session: AsyncSession, customer_id: str, before: str | None = None, limit: int = ON_A_PAGE
) -> list[ListedInvoice]:
    """The newest, or those before the one of this id. One statement, on the index by customer."""
    query = _listed().where(Invoice.customer_id == customer_id).order_by(Invoice.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Invoice.id < before)
    return [_line(invoice, balance_minor) for invoice, balance_minor in (await session.execute(query)).all()]


async def of_order(session: AsyncSession, order_id: str) -> ListedInvoice | None:
    """The invoice of an order, if there is one yet."""
    query = _listed().where(Invoice.order_id == order_id, Invoice.kind == "invoice")
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _line(*row)


async def numbers_of_orders(session: AsyncSession, order_ids: Iterable[str]) -> Mapping[str, str]:
    """Order id → the number of its invoice."""
    query = select(Invoice.order_id, Invoice.number).where(
        Invoice.order_id.in_(list(order_ids)), Invoice.kind == "invoice"
    )
    return {str(order_id): number for order_id, number in (await session.execute(query)).all()}


def _listed() -> Select[Invoice, int | None]:
    return select(Invoice, Account.balance_minor).join(Account, Account.id == Invoice.account_id)


def _line(invoice: Invoice, balance_minor: int | None) -> ListedInvoice:
    return ListedInvoice(
        invoice.id,
        invoice.number,
        invoice.kind,
        invoice.currency,
        invoice.total_minor,
        -(balance_minor or 0) if invoice.kind == "invoice" else 0,
        invoice.issued_at,
    )
