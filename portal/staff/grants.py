"""Credit that staff put on a customer's account (R17, R19): once for each reference, whoever sends it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response
from temporalio.service import RPCError

from db import subscriptions
from db.grants import ReferenceTaken
from domain.credits import GrantKind
from domain.money import MINOR_DIGITS, NotMoney, format_minor, parse_minor
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form, Sent
from portal.security.visits import StaffVisit, Support
from portal.staff import allowance, known
from reception import granting
from reception.granting import Grant

FIELDS = ("amount", "currency", "kind", "reference", "expires_on", "reason")

router = APIRouter(prefix="/staff/customers/{customer_id}/grant")


@dataclass(frozen=True)
class GrantPage:
    """The model of `staff/grant.html`; `values` and `mistakes` by field."""

    path: str
    back: str
    customer: str
    currencies: tuple[str, ...]
    values: dict[str, str]
    mistakes: dict[str, str]
    request_id: str = field(default_factory=new_request_id)


@router.get("")
async def fill_in(
    request: Request, customer_id: str, staff: Support, means: Given, reading: Reading
) -> Response:
    """The form."""
    customer = await known.customer(reading, customer_id)
    held = await subscriptions.of_customer(reading, customer.id, limit=1)
    usual = {"currency": held[0].subscription.currency} if held else {}
    return page(request, "staff/grant.html", _model(means, customer.id, customer.name, usual, {}))


@router.post("")
async def grant(
    request: Request, customer_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """Grant it, and have whatever waits for money collected at once (R22)."""
    customer = await known.customer(reading, customer_id)
    wanted = _read(means, staff, customer.id, form)
    if not isinstance(wanted, Grant):
        return _again(request, means, customer.id, customer.name, form, wanted)
    await limits.hold(means, limits.CHANGE, staff.by)
    try:
        async with means.sessions.begin() as session:
            granted, waiting = await granting.put(session, wanted)
    except ReferenceTaken:
        mistakes = {"reference": "Another grant has this reference, of another amount or customer."}
        return _again(request, means, customer.id, customer.name, form, mistakes)
    amount = format_minor(wanted.amount_minor, wanted.currency)
    text, tone, detail = f"Granted {amount}.", "good", ""
    if not granted.new:
        text, tone = f"{wanted.reference} was granted before: nothing was changed.", "warning"
    try:
        await granting.tell(means.temporal, waiting, staff.by)
    except RPCError:
        detail = "What waits for money could not be told, and is tried again by itself on its next day."
    await flash(means, staff.visit, text, tone, detail)
    return seen_next(f"/staff/customers/{customer.id}")


def _read(means: Means, staff: StaffVisit, customer_id: str, form: Sent) -> Grant | dict[str, str]:
    """What staff decided; or what is wrong, by field."""
    mistakes: dict[str, str] = {}
    currency, amount_minor, expires_on = form.text("currency", 3).upper(), 0, None
    if currency not in MINOR_DIGITS:
        mistakes["currency"] = "Choose one."
    else:
        try:
            amount_minor = parse_minor(form.text("amount", 20), currency)
        except NotMoney as wrong:
            mistakes["amount"] = f"{wrong}."
        else:
            refused = allowance.refusal(means, staff, amount_minor, currency)
            if refused or not amount_minor:
                mistakes["amount"] = refused or "A grant is more than nothing."
    if (until := form.text("expires_on", 10)) and (expires_on := _day(until)) is None:
        mistakes["expires_on"] = "Write a day like 2027-08-31, or nothing."
    if expires_on is not None and expires_on < means.today():
        mistakes["expires_on"] = "That day has passed."
    mistakes |= {name: "This is needed." for name in ("reference", "reason") if not form.text(name)}
    if mistakes:
        return mistakes
    kind: GrantKind = "purchase" if form.text("kind") == "purchase" else "promotional"
    reference, reason = form.text("reference", 100), form.text("reason")
    return Grant(
        customer_id, kind, amount_minor, currency, reference, reason, staff.by, means.now(), expires_on
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _again(
    request: Request, means: Means, customer_id: str, name: str, form: Sent, mistakes: dict[str, str]
) -> Response:
    values = {each: form.text(each) for each in FIELDS}
    model = _model(means, customer_id, name, values, mistakes, form.request_id)
    return page(request, "staff/grant.html", model, status=422)


def _model(
    means: Means,
    customer_id: str,
    name: str,
    values: dict[str, str],
    mistakes: dict[str, str],
    request_id: str = "",
) -> GrantPage:
    back = f"/staff/customers/{customer_id}"
    return GrantPage(
        path=f"{back}/grant",
        back=back,
        customer=name,
        currencies=tuple(sorted({key[-1] for key in means.catalogue.renewal_prices})),
        values={each: values.get(each, "") for each in FIELDS},
        mistakes={each: mistakes.get(each, "") for each in FIELDS},
        request_id=request_id or new_request_id(),
    )
