"""The request form (R27), open to everybody, and what became of a customer's requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, get_args

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db import requests as request_rows
from db import subscriptions
from db.models.request import LicenseRequest
from db.requests import Placing, RequestRefused, UnknownRequest
from domain.intake_problem import Problem
from domain.request_form import STATED, Kind, check_form
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Customer, CustomerVisit, Visit, Visiting

KINDS: Final[dict[Kind, str]] = {
    "add_key": "Look after a license key of mine",
    "upgrade": "A larger size or a higher edition",
    "downgrade": "A smaller size or a lower edition",
    "other": "Something else",
}

COLUMNS: Final = ("customer_email", "license_key", "subscription", "text", *STATED)
"""Fields of the form, by the columns of an import file (R26)."""

router = APIRouter()


@dataclass(frozen=True)
class Row:
    """One request in the list."""

    path: str
    kind: str
    about: str
    state: str
    at: datetime


@dataclass(frozen=True)
class ListPage:
    """The model of `customer/requests.html`."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class RequestPage:
    """The model of `customer/request.html`."""

    kind: str
    about: str
    text: str
    state: str
    at: datetime
    decided_at: datetime | None
    answer: str
    subscription_path: str


@dataclass(frozen=True)
class FormPage:
    """The model of `customer/request_form.html`; `values` and `mistakes` by field."""

    kinds: tuple[tuple[str, str], ...]
    kind: str
    signed_in: bool
    mine: tuple[tuple[str, str], ...]
    """Id and title of the customer's subscriptions, to choose from."""
    products: tuple[str, ...]
    values: dict[str, str]
    mistakes: dict[str, str]
    refusal: str = ""
    request_id: str = field(default_factory=new_request_id)


@dataclass(frozen=True)
class PlacedPage:
    """The model of `customer/request_placed.html`, for somebody who is not signed in."""

    email: str


@router.get("/requests")
async def listing(request: Request, visitor: Customer, reading: Reading) -> Response:
    """Theirs, newest first."""
    found = await request_rows.of_customer(reading, visitor.customer_id)
    rows = tuple(Row(f"/requests/{each.id}", each.kind, _about(each), each.state, each.at) for each in found)
    return page(request, "customer/requests.html", ListPage(rows))


@router.get("/requests/new")
async def fill_in(
    request: Request, visit: Visiting, means: Given, kind: str = "add_key", subscription: str = ""
) -> Response:
    """The form; a customer does not write again what we know."""
    chosen = kind if kind in KINDS else "add_key"
    model = await _form(means, visit, chosen, {"subscription": subscription}, {})
    return page(request, "customer/request_form.html", model)


@router.post("/requests")
async def place(request: Request, visit: Visiting, form: Form, means: Given) -> Response:
    """Put it before staff; the same form sent again is the same request."""
    values = {column: form.text(column, 4001) for column in COLUMNS}
    kind: Kind = next((known for known in get_args(Kind) if known == form.text("kind")), "other")
    if visit.signed_in is not None and visit.signed_in.person.customer_id is not None:
        values["customer_email"] = visit.signed_in.email
        by = visit.signed_in.person.by
    else:
        await limits.hold(means, limits.REQUEST, limits.client_of(request))
        by = "customer"
    checked = check_form(kind, values, means.catalogue)
    if isinstance(checked, list):
        model = await _form(means, visit, kind, values, _mistakes(checked), form.request_id)
        return page(request, "customer/request_form.html", model, status=422)
    placing = Placing(by, means.now(), means.key_ring, means.working_days.country, once=form.request_id)
    try:
        async with means.sessions.begin() as session:
            placed = await request_rows.place(session, placing, checked)
    except RequestRefused as no:
        refusal = f"{str(no)[:1].upper()}{str(no)[1:]}."
        model = await _form(means, visit, kind, values, {}, form.request_id, refusal)
        return page(request, "customer/request_form.html", model, status=409)
    if visit.signed_in is None or visit.signed_in.person.customer_id is None:
        return page(request, "customer/request_placed.html", PlacedPage(checked.email))
    await flash(means, visit, "Thank you, your request is with our staff.", "good", "We mail you the answer.")
    return seen_next(f"/requests/{placed.id}")


@router.get("/requests/{request_id}")
async def one(request: Request, request_id: str, visitor: Customer, reading: Reading) -> Response:
    """What was asked, and what became of it."""
    found = await _owned(reading, request_id, visitor)
    model = RequestPage(
        kind=found.kind,
        about=_about(found),
        text=found.text,
        state=found.state,
        at=found.at,
        decided_at=found.decided_at,
        answer=found.reason or "",
        subscription_path=f"/subscriptions/{found.subscription_id}" if found.subscription_id else "",
    )
    return page(request, "customer/request.html", model)


async def _owned(reading: Reading, request_id: str, visitor: CustomerVisit) -> LicenseRequest:
    try:
        found = (await request_rows.one(reading, request_id)).request
    except UnknownRequest as unknown:
        raise HTTPException(404) from unknown
    if found.customer_id != visitor.customer_id:
        raise HTTPException(404)
    return found


def _about(found: LicenseRequest) -> str:
    """What it is about, in a line: never the key (R28)."""
    stated = found.details
    license = " ".join(str(stated[name]) for name in ("product", "edition", "size") if stated.get(name))
    key = f"key ••••{stated['last_four']}" if stated.get("last_four") else ""
    return ", ".join(filter(None, (license, key)))


def _mistakes(problems: list[Problem]) -> dict[str, str]:
    return {str(problem.column): f"{problem.reason}. {problem.mend}".capitalize() for problem in problems}


async def _form(
    means: Means,
    visit: Visit,
    kind: str,
    values: dict[str, str],
    mistakes: dict[str, str],
    request_id: str | None = None,
    refusal: str = "",
) -> FormPage:
    customer_id = visit.signed_in.person.customer_id if visit.signed_in else None
    mine: tuple[tuple[str, str], ...] = ()
    if customer_id is not None:
        async with means.sessions() as session:
            held = await subscriptions.of_customer(session, customer_id, limit=200)
        mine = tuple(
            (each.subscription.id, f"{each.title}, key ••••{each.license.last_four}") for each in held
        )
    return FormPage(
        kinds=tuple(KINDS.items()),
        kind=kind,
        signed_in=customer_id is not None,
        mine=mine,
        products=tuple(means.catalogue.products),
        values={column: values.get(column, "") for column in COLUMNS},
        mistakes={column: mistakes.get(column, "") for column in COLUMNS},
        refusal=refusal,
        request_id=request_id or new_request_id(),
    )
