"""A customer's whole view: subscriptions, credits, invoices, letters, requests, and what was done about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from db import books, customers, dossier, invoice_list, requests, subscriptions
from db.books import GrantStatement
from db.invoice_list import ListedInvoice
from db.life import life_of
from db.models.customer import Customer
from db.models.notice import Notice
from db.models.request import LicenseRequest
from db.subscriptions import Held
from domain.outlook import next_step
from portal.customer.subscription import subject_of
from portal.means import Given, Means, Reading
from portal.pages.rendering import page
from portal.security.visits import Support
from portal.staff import known, records
from portal.staff.records import Line

MOST = 200

router = APIRouter()


@dataclass(frozen=True)
class Subscribed:
    """One subscription in the list."""

    path: str
    title: str
    last_four: str
    state: str
    next_step: str


@dataclass(frozen=True)
class Letter:
    """One letter, to the customer or to staff about them; `trouble` tells why it could not be sent."""

    at: datetime
    subject: str
    to_staff: bool
    sent_at: datetime | None
    trouble: str


@dataclass(frozen=True)
class CustomerPage:
    """The model of `staff/customer.html`."""

    path: str
    customer: Customer
    card: str
    subscriptions: tuple[Subscribed, ...]
    credits: tuple[GrantStatement, ...]
    totals: tuple[tuple[int, str], ...]
    invoices: tuple[ListedInvoice, ...]
    requests: tuple[LicenseRequest, ...]
    letters: tuple[Letter, ...]
    audit: tuple[Line, ...]


@router.get("/staff/customers/{customer_id}")
async def whole(
    request: Request, customer_id: str, staff: Support, means: Given, reading: Reading
) -> Response:
    """Everything on one page."""
    found = await known.customer(reading, customer_id)
    held = await subscriptions.of_customer(reading, found.id, limit=MOST)
    held += await subscriptions.of_customer(reading, found.id, ended=True, limit=MOST)
    grants = await books.statement(reading, found.id)
    asked = await requests.of_customer(reading, found.id)
    subjects = [
        found.id,
        *await dossier.subscription_ids(reading, found.id),
        *(each.id for each in asked),
        *(grant.grant_id for grant in grants),
    ]
    model = CustomerPage(
        path=f"/staff/customers/{found.id}",
        customer=found,
        card=await _card(reading, found),
        subscriptions=tuple(_subscribed(each, means) for each in held),
        credits=tuple(grants),
        totals=_totals(grants),
        invoices=tuple(await invoice_list.of_customer(reading, found.id)),
        requests=tuple(asked),
        letters=tuple(_letter(each) for each in await dossier.notices_of(reading, found.id)),
        audit=records.lines(await dossier.audit_of(reading, subjects)),
    )
    return page(request, "staff/customer.html", model)


async def _card(reading: Reading, found: Customer) -> str:
    if found.card_token is None:
        return "none"
    return await customers.last_card(reading, found.id) or "saved"


def _subscribed(held: Held, means: Means) -> Subscribed:
    row = held.subscription
    step = next_step(life_of(held, means.policy))
    return Subscribed(f"/staff/subscriptions/{row.id}", held.title, held.license.last_four, row.state, step)


def _totals(grants: list[GrantStatement]) -> tuple[tuple[int, str], ...]:
    totals: dict[str, int] = {}
    for grant in grants:
        totals[grant.currency] = totals.get(grant.currency, 0) + grant.remaining_minor
    return tuple((minor, currency) for currency, minor in sorted(totals.items()))


def _letter(notice: Notice) -> Letter:
    to_staff = notice.audience == "staff"
    subject = notice.kind.replace("_", " ") if to_staff else subject_of(notice)
    return Letter(notice.at, subject, to_staff, notice.sent_at, notice.last_error or "")
