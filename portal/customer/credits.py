"""Credits: what is left, grant by grant, and what became of every penny (R17, R18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from db import books, invoice_list
from db.books import GrantStatement
from portal.means import Reading
from portal.pages.rendering import page
from portal.security.visits import Customer

MOVEMENTS: Final = {
    "grant": "Put on your account",
    "use": "Used",
    "refund": "Given back",
    "reverse": "Taken back",
    "expire": "Expired",
    "convert": "Turned into promotional credit",
    "void": "Given back",
}
"""What a movement of the ledger is to its owner."""

router = APIRouter()


@dataclass(frozen=True)
class Line:
    """One movement; `invoice` is the number of the one it paid, if it did."""

    at: datetime
    text: str
    invoice: str
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True)
class Granted:
    """One grant with its movements, oldest first."""

    title: str
    reference: str
    currency: str
    amount_minor: int
    remaining_minor: int
    expires_on: date | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class CreditsPage:
    """The model of `customer/credits.html`."""

    totals: tuple[tuple[int, str], ...]
    open: tuple[Granted, ...]
    used_up: tuple[Granted, ...]


@router.get("/credits")
async def statement(request: Request, visitor: Customer, reading: Reading) -> Response:
    """The whole statement."""
    grants = await books.statement(reading, visitor.customer_id)
    subjects = {line.subject for grant in grants for line in grant.lines}
    invoices = await invoice_list.numbers_of_orders(reading, subjects)
    shown = [_granted(grant, invoices) for grant in grants]
    totals: dict[str, int] = {}
    for grant in grants:
        totals[grant.currency] = totals.get(grant.currency, 0) + grant.remaining_minor
    model = CreditsPage(
        totals=tuple((amount, currency) for currency, amount in sorted(totals.items())),
        open=tuple(grant for grant in shown if grant.remaining_minor),
        used_up=tuple(grant for grant in shown if not grant.remaining_minor),
    )
    return page(request, "customer/credits.html", model)


def _granted(grant: GrantStatement, invoices: Mapping[str, str]) -> Granted:
    return Granted(
        title="Bought credit" if grant.kind == "purchase" else "Promotional credit",
        reference=grant.reference,
        currency=grant.currency,
        amount_minor=grant.amount_minor,
        remaining_minor=grant.remaining_minor,
        expires_on=grant.expires_on,
        lines=tuple(
            Line(
                line.at,
                MOVEMENTS.get(line.kind, line.kind),
                invoices.get(line.subject, ""),
                line.amount_minor,
                line.balance_minor,
            )
            for line in grant.lines
        ),
    )
