"""An invoice for staff: what is on it and what paid it, and giving it back or a part of it (R20)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

import starter
from db import audit, invoice_papers
from db.invoice_papers import InvoiceFacts
from db.invoices import UnknownInvoice
from domain.money import NotMoney, format_minor, parse_minor
from domain.tasks import RefundRequest
from papers import pdf
from papers.invoice_paper import invoice_paper
from papers.page import STYLESHEET
from papers.page import page as paper_page
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.customer.invoices import InvoicePage
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form, Sent
from portal.security.visits import StaffVisit, Support
from portal.staff import allowance, known

FIELDS = ("amount", "reference", "reason")

router = APIRouter(prefix="/staff/invoices/{number}")


@dataclass(frozen=True)
class RefundPage:
    """The model of `staff/refund.html`; `values` and `mistakes` by field."""

    path: str
    back: str
    number: str
    left_minor: int
    currency: str
    values: dict[str, str]
    mistakes: dict[str, str]
    request_id: str = field(default_factory=new_request_id)


@router.get("")
async def one(request: Request, number: str, staff: Support, means: Given, reading: Reading) -> Response:
    """What is on it, and what paid it."""
    facts = await _facts(reading, number)
    model = InvoicePage(
        invoice_paper(facts, means.seller, means.zone),
        above="/staff",
        back=f"/staff/customers/{facts.customer_id}",
        back_label=facts.bill_to_name,
        refundable=facts.kind == "invoice" and _left_minor(facts) > 0,
    )
    return page(request, "customer/invoice.html", model)


@router.get("/paper")
async def paper(number: str, staff: Support, means: Given, reading: Reading) -> Response:
    """As it looks on paper."""
    made = invoice_paper(await _facts(reading, number), means.seller, means.zone)
    return HTMLResponse(paper_page(made, stylesheet=f"/papers/{STYLESHEET.name}"))


@router.get("/pdf")
async def as_pdf(number: str, staff: Support, means: Given, reading: Reading) -> Response:
    """To be kept."""
    made = invoice_paper(await _facts(reading, number), means.seller, means.zone)
    name = f'attachment; filename="{made.number}.pdf"'
    return Response(pdf.pdf(made), media_type="application/pdf", headers={"Content-Disposition": name})


@router.get("/refund")
async def wish_to_refund(request: Request, number: str, staff: Support, reading: Reading) -> Response:
    """The form, with how much is left to give back."""
    return page(request, "staff/refund.html", _model(await _refundable(reading, number)))


@router.post("/refund")
async def refund(
    request: Request, number: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """Give it back where it came from; the same reference again gives back nothing (R25)."""
    facts = await _refundable(reading, number)
    here = f"/staff/invoices/{facts.number}"
    wanted = _read(means, staff, facts, form)
    if not isinstance(wanted, RefundRequest):
        model = _model(facts, form, wanted)
        return page(request, "staff/refund.html", model, status=422)
    await limits.hold(means, limits.CHANGE, staff.by)
    if await audit.is_known(reading, f"refund/{facts.number}/{wanted.reference}"):
        again = f"{wanted.reference} was given back before: nothing was changed."
        await flash(means, staff.visit, again, "warning")
        return seen_next(here)
    try:
        done = await ask(_within(means, wanted))
    except NotTaken:
        return not_taken(request, form, "The refund", here)
    except Refused as no:
        await flash(means, staff.visit, "Nothing was given back.", "bad", f"{str(no).rstrip('.')}.")
        return seen_next(here)
    amount = format_minor(wanted.amount_minor or 0, facts.currency)
    if done:
        await flash(means, staff.visit, f"Given back: {amount}.", "good", "The customer is told by mail.")
    else:
        later = "It is kept and carried out as soon as a worker is there; the same reference counts once."
        await flash(means, staff.visit, f"Received: {amount}.", "good", later)
    return seen_next(here)


async def _within(means: Means, wanted: RefundRequest) -> bool:
    """Whether it was carried out in the time that a reader waits; it goes on without us."""
    carrying_out = asyncio.ensure_future(starter.refund(means.temporal, wanted))
    done, _ = await asyncio.wait({carrying_out}, timeout=starter.CHARGED_WITHIN.total_seconds())
    if done:
        await carrying_out
        return True
    carrying_out.cancel()
    if await starter.is_refund_known(means.temporal, wanted):
        return False
    raise TimeoutError


def _read(means: Means, staff: StaffVisit, facts: InvoiceFacts, form: Sent) -> RefundRequest | dict[str, str]:
    """What staff decided; or what is wrong, by field. An amount is always said, so that the limit holds."""
    mistakes = {name: "This is needed." for name in ("reference", "reason") if not form.text(name)}
    left_minor, amount_minor = _left_minor(facts), 0
    try:
        text = form.text("amount", 20)
        amount_minor = parse_minor(text, facts.currency) if text else left_minor
    except NotMoney as wrong:
        mistakes["amount"] = f"{wrong}."
    else:
        refused = allowance.refusal(means, staff, amount_minor, facts.currency)
        if refused or not amount_minor:
            mistakes["amount"] = refused or "A refund is more than nothing."
    if mistakes:
        return mistakes
    return RefundRequest(
        invoice=facts.number,
        amount_minor=amount_minor,
        reference=form.text("reference", 100),
        by=staff.by,
        reason=known.reason_of(form),
        at=means.now(),
    )


def _left_minor(facts: InvoiceFacts) -> int:
    """What credit notes have not taken back yet."""
    return facts.total_minor + sum(note.total_minor for note in facts.notes)


async def _facts(reading: Reading, number: str) -> InvoiceFacts:
    try:
        return await invoice_papers.by_number(reading, number)
    except UnknownInvoice as unknown:
        raise HTTPException(404) from unknown


async def _refundable(reading: Reading, number: str) -> InvoiceFacts:
    """An invoice; a credit note cannot be given back (404)."""
    facts = await _facts(reading, number)
    if facts.kind != "invoice":
        raise HTTPException(404)
    return facts


def _model(
    facts: InvoiceFacts, form: Sent | None = None, mistakes: dict[str, str] | None = None
) -> RefundPage:
    back = f"/staff/invoices/{facts.number}"
    return RefundPage(
        path=f"{back}/refund",
        back=back,
        number=facts.number,
        left_minor=_left_minor(facts),
        currency=facts.currency,
        values={name: form.text(name) if form else "" for name in FIELDS},
        mistakes={name: (mistakes or {}).get(name, "") for name in FIELDS},
        request_id=form.request_id if form else new_request_id(),
    )
