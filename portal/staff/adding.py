"""Add-ons on a customer's behalf: choose, see the quote, have exactly that paid from credits and card (R14, R15)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

import starter
from domain.messages import AddAddons, OrderAnswer
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.customer.adding import choice, make_quote, quote_page, why_not_ordered
from portal.means import Given, Means, Reading
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import StaffVisit, Support
from portal.staff import known

ABOVE = "/staff"

router = APIRouter(prefix="/staff/subscriptions/{subscription_id}")


@router.get("/addons")
async def choose(
    request: Request, subscription_id: str, staff: Support, means: Given, reading: Reading
) -> Response:
    """What the license could get now, each with its price for the rest of the term."""
    held = await known.subscription(reading, subscription_id)
    return page(request, "customer/addons.html", await choice(reading, means, held, above=ABOVE))


@router.post("/quotes")
async def quote(
    request: Request, subscription_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """Make a quote of what was chosen, and go on to it; nothing is ordered yet."""
    held = await known.subscription(reading, subscription_id)
    await limits.hold(means, limits.CHANGE, staff.by)
    quote_id, mistake = await make_quote(means, held, form)
    if mistake:
        model = await choice(reading, means, held, mistake, ABOVE)
        return page(request, "customer/addons.html", model, status=422)
    return seen_next(f"/staff/subscriptions/{subscription_id}/quotes/{quote_id}")


@router.get("/quotes/{quote_id}")
async def see_quote(
    request: Request, subscription_id: str, quote_id: str, staff: Support, means: Given, reading: Reading
) -> Response:
    """The quote, line by line, and the button that has it paid."""
    held = await known.subscription(reading, subscription_id)
    return page(request, "staff/quote.html", await quote_page(reading, means, held, quote_id, ABOVE))


@router.post("/quotes/{quote_id}/pay")
async def pay_quote(
    request: Request,
    subscription_id: str,
    quote_id: str,
    staff: Support,
    form: Form,
    means: Given,
    reading: Reading,
) -> Response:
    """Order it at exactly this quote; a quote is accepted once, whoever sends it twice (R15)."""
    held = await known.subscription(reading, subscription_id)
    kept = await quote_page(reading, means, held, quote_id, ABOVE)
    if kept.used:
        await flash(
            means, staff.visit, "This quote is accepted already: nothing was ordered again.", "warning"
        )
        return seen_next(kept.path)
    reason = known.reason_of(form)
    await limits.hold(means, limits.CHANGE, staff.by)
    await known.note(
        means, staff, "addons_on_behalf", subscription_id, reason, form.request_id, {"quote": quote_id}
    )
    wish = AddAddons(addons=kept.quote.addons, quote_id=quote_id, by=staff.by, request_id=form.request_id)
    here = f"{kept.path}/quotes/{quote_id}"
    try:
        taken = await ask(starter.add_addons(means.temporal, subscription_id, wish))
    except NotTaken:
        return not_taken(request, form, "The order", here)
    except Refused as no:
        await flash(means, staff.visit, "That was not ordered.", "bad", str(no))
        return seen_next(here)
    return seen_next(await _after(means, staff, kept.path, here, taken.answer))


async def _after(
    means: Means, staff: StaffVisit, subscription: str, here: str, answer: OrderAnswer | None
) -> str:
    """Where to go on, and what is said there."""
    if answer is None:
        await flash(means, staff.visit, "Received.", "good", "It is being worked on, and counts once.")
        return subscription
    if answer.outcome == "refused":
        again = answer.quote.quote_id if answer.quote else None
        await flash(means, staff.visit, "That was not ordered.", "bad", why_not_ordered(answer))
        return f"{subscription}/quotes/{again}" if again else here
    told = f"It is paid, on invoice {answer.invoice}. The customer gets a receipt."
    await flash(means, staff.visit, "Ordered.", "good", told)
    return subscription
