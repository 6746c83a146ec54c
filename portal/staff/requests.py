"""The inbox of requests (R27), oldest first; one of them, to be accepted with what is missing, or declined."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db import request_decisions, subscriptions
from db import requests as rows
from db.models.customer import Customer
from db.models.request import LicenseRequest
from db.requests import Listed, RequestRefused, UnknownRequest
from domain.request_license import LicenseExpired
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form, Sent
from portal.security.visits import StaffVisit, Support
from portal.staff import known
from reception import requests
from reception.acceptance import Accepted, Choice, Desk, Incomplete, NotAccepted

LICENSE: Final = (
    "customer_name",
    "country",
    "currency",
    "license_key",
    "product",
    "edition",
    "size",
    "addons",
    "expires_on",
)
"""Columns of an import that staff may say, instead of the customer (R26)."""

WANTED: Final[dict[str, tuple[str, ...]]] = {
    "add_key": (*LICENSE, "answer"),
    "upgrade": ("subscription", "edition", "size", "price", "answer"),
    "downgrade": ("subscription", "edition", "size", "answer"),
    "other": ("answer",),
}
"""What is asked of staff who accept, by the kind of the request."""

MOST = 200

router = APIRouter(prefix="/staff/requests")


@dataclass(frozen=True)
class Row:
    """One request in the inbox."""

    path: str
    kind: str
    customer: str
    about: str
    excerpt: str
    at: datetime
    state: str
    hanging: bool
    """Accepted, and not carried out yet."""


@dataclass(frozen=True)
class InboxPage:
    """The model of `staff/requests.html`."""

    rows: tuple[Row, ...]
    decided_too: bool


@dataclass(frozen=True)
class RequestPage:
    """The model of `staff/request.html`; `values` and `mistakes` by field."""

    path: str
    row: Row
    request: LicenseRequest
    customer: Customer
    stated: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    values: dict[str, str]
    mistakes: dict[str, str]
    mine: tuple[tuple[str, str], ...]
    """Id and title of the customer's subscriptions."""
    has_key: bool
    revealed: str
    refusal: str
    request_id: str = field(default_factory=new_request_id)


@router.get("")
async def inbox(request: Request, staff: Support, reading: Reading, everything: bool = False) -> Response:
    """Those that wait; or all, latest first."""
    found = await rows.listing(reading, everything, MOST)
    return page(request, "staff/requests.html", InboxPage(tuple(map(_row, found)), everything))


@router.get("/{request_id}")
async def one(request: Request, request_id: str, staff: Support, reading: Reading) -> Response:
    """What is asked, and the forms that answer it."""
    return page(request, "staff/request.html", await _model(reading, await _known(reading, request_id)))


@router.post("/{request_id}/key")
async def show_key(
    request: Request, request_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """The same page with the key that the request brings; who looked and why is written down (R28, R29)."""
    listed = await _known(reading, request_id)
    reason = known.reason_of(form)
    await limits.hold(means, limits.REVEAL, staff.by)
    async with means.sessions.begin() as session:
        key = await rows.reveal(session, means.key_ring, request_id, staff.by, means.now(), reason)
    return page(request, "staff/request.html", await _model(reading, listed, revealed=key or ""))


@router.post("/{request_id}/decline")
async def decline(
    request: Request, request_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """Say no, once; the customer reads why."""
    await _known(reading, request_id)
    reason = known.reason_of(form)
    await limits.hold(means, limits.CHANGE, staff.by)
    try:
        async with means.sessions.begin() as session:
            await request_decisions.decide(session, request_id, "declined", staff.by, means.now(), reason)
    except RequestRefused as second:
        await flash(means, staff.visit, "Nothing was changed.", "warning", _sentence(second))
        return seen_next(f"/staff/requests/{request_id}")
    await flash(means, staff.visit, "Declined.", "good", "The customer is told by mail.")
    return seen_next("/staff/requests")


@router.post("/{request_id}/accept")
async def accept(
    request: Request, request_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """Accept it and carry it out, once, whoever else tries; what is missing is asked for."""
    listed = await _known(reading, request_id)
    await limits.hold(means, limits.CHANGE, staff.by)
    here = f"/staff/requests/{request_id}"
    desk = Desk(
        means.sessions, means.temporal, means.key_ring, means.catalogue, means.policy, staff.by, means.now()
    )
    try:
        accepted = await ask(requests.accept(desk, request_id, _choice(form)))
    except NotTaken:
        advice = "If it shows as accepted and not carried out yet, accepting it again goes on with it."
        return not_taken(request, form, "Your answer", here, advice)
    except Incomplete as wrong:
        mistakes = {str(each.column): f"{each.reason}. {each.mend}".capitalize() for each in wrong.problems}
        model = await _model(reading, listed, form, mistakes)
        return page(request, "staff/request.html", model, status=422)
    except (LicenseExpired, NotAccepted) as no:
        model = await _model(reading, listed, form, refusal=_sentence(no))
        return page(request, "staff/request.html", model, status=409)
    except (RequestRefused, Refused) as no:
        await flash(means, staff.visit, "Nothing was changed.", "warning", _sentence(no))
        return seen_next(here)
    await _tell(means, staff, accepted)
    return seen_next(here)


async def _tell(means: Means, staff: StaffVisit, accepted: Accepted) -> None:
    answer = accepted.answer
    if accepted.refusal:
        await flash(
            means, staff.visit, "Not accepted: the request stays open.", "bad", _sentence(accepted.refusal)
        )
        return
    detail = "The customer is told by mail."
    if not accepted.carried_out:
        detail = "No worker has carried it out yet. If it stays so, accept it again to go on with it."
    elif accepted.kind == "add_key":
        detail = f"Added as {accepted.subscription_id}; it is renewed from now on."
    elif accepted.kind == "upgrade" and answer is not None:
        detail = f"Ordered, with invoice {answer.invoice}: the customer is asked to pay it, then it is done."
    if accepted.window_closed:
        detail += " Its last day to cancel has passed: the coming renewal cannot be stopped any more."
    await flash(means, staff.visit, "Accepted.", "good", detail)


def _choice(form: Sent) -> Choice:
    texts = {column: form.text(column) for column in LICENSE}
    return Choice(
        {column: text for column, text in texts.items() if text},
        form.text("subscription", 64),
        form.text("price", 20),
        form.text("answer"),
    )


async def _known(reading: Reading, request_id: str) -> Listed:
    try:
        return await rows.one(reading, request_id)
    except UnknownRequest as unknown:
        raise HTTPException(404) from unknown


async def _model(
    reading: Reading,
    listed: Listed,
    form: Sent | None = None,
    mistakes: dict[str, str] | None = None,
    refusal: str = "",
    revealed: str = "",
) -> RequestPage:
    found, fields = listed.request, WANTED[listed.request.kind]
    stated = {name: str(text) for name, text in found.details.items() if name in LICENSE and text}
    known_already = {
        "customer_name": listed.customer.name,
        "country": listed.customer.country,
        "subscription": found.subscription_id or "",
    }
    said = {name: form.text(name) for name in fields} if form else known_already | stated
    held = await subscriptions.of_customer(reading, listed.customer.id, limit=MOST)
    row = _row(listed)
    return RequestPage(
        path=row.path,
        row=row,
        request=found,
        customer=listed.customer,
        stated=tuple((name.replace("_", " "), text) for name, text in stated.items()),
        fields=fields,
        values={name: said.get(name, "") if name != "license_key" else "" for name in fields},
        mistakes={name: (mistakes or {}).get(name, "") for name in fields},
        mine=tuple(
            (each.subscription.id, f"{each.title}, key ••••{each.license.last_four}") for each in held
        ),
        has_key=found.license_key_ciphertext is not None,
        revealed=revealed,
        refusal=refusal or " ".join(text for name, text in (mistakes or {}).items() if name not in fields),
        request_id=form.request_id if form else new_request_id(),
    )


def _row(listed: Listed) -> Row:
    found, details = listed.request, listed.request.details
    stated = [str(details.get(name, "")) for name in ("product", "edition", "size")]
    key = f"key ••••{details['last_four']}" if "last_four" in details else ""
    text = " ".join(found.text.split())
    return Row(
        path=f"/staff/requests/{found.id}",
        kind=found.kind,
        customer=listed.customer.name,
        about=", ".join(filter(None, (" ".join(filter(None, stated)), key))),
        excerpt=text if len(text) <= 90 else f"{text[:90]}…",
        at=found.at,
        state=found.state,
        hanging=found.state == "accepted" and not request_decisions.is_concluded(found),
    )


def _sentence(no: Exception | str) -> str:
    text = str(no)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
