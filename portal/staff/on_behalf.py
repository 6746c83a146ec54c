"""Cancelling and resuming on a customer's behalf (R7–R10): the same question to the same workflow, with a reason."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

import starter
from db.life import life_of
from domain.decisions import Outcome
from domain.local_time import in_words
from domain.messages import Cancel, Resume
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.customer.cancelling import advice, foreseen, what_resuming_means
from portal.means import Given, Means, Reading
from portal.pages.confirm import Confirm
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import StaffVisit, Support
from portal.staff import known
from starter import Taken

LEFT = "It is kept with the time at which it came, and decided as soon as a worker is there."

router = APIRouter(prefix="/staff/subscriptions/{subscription_id}")


@router.get("/cancel")
async def wish_to_cancel(
    request: Request, subscription_id: str, staff: Support, means: Given, reading: Reading
) -> Response:
    """What would be decided now."""
    held = await known.subscription(reading, subscription_id)
    decision = foreseen(life_of(held, means.policy), means)
    here = f"/staff/subscriptions/{subscription_id}"
    if decision.outcome is Outcome.NO_CHANGE:
        await flash(means, staff.visit, decision.sentence, "warning")
        return seen_next(here)
    model = Confirm(
        title=f"Cancel {held.title} for {held.customer.name}?",
        sentences=("Cancelled now, this is what is answered, and mailed to the customer:", decision.sentence),
        facts=(
            ("Last day to cancel", in_words(decision.cancel_by)),
            ("Covered through", in_words(decision.effective_on)),
        ),
        action=f"{here}/cancel",
        button="Cancel on behalf",
        back=here,
        grave=True,
        asks_reason="Why, and how did they ask?",
        reason_needed=True,
    )
    return page(request, "confirm.html", model)


@router.post("/cancel")
async def cancel(
    request: Request, subscription_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """Ask for it; the decision is shown on the next page, and mailed to the customer."""
    held = await known.subscription(reading, subscription_id)
    wish = Cancel(by=staff.by, reason=known.reason_of(form), request_id=form.request_id)
    await limits.hold(means, limits.CHANGE, staff.by)
    here = f"/staff/subscriptions/{subscription_id}"
    try:
        taken = await ask(starter.cancel(means.temporal, subscription_id, wish))
    except NotTaken:
        return not_taken(request, form, "The cancellation", here, advice(held, means))
    except Refused as no:
        await flash(means, staff.visit, "The cancellation was not accepted.", "bad", str(no))
    else:
        await _tell(means, staff, taken)
    return seen_next(here)


@router.get("/resume")
async def wish_to_resume(
    request: Request, subscription_id: str, staff: Support, means: Given, reading: Reading
) -> Response:
    """What resuming means."""
    held = await known.subscription(reading, subscription_id)
    here = f"/staff/subscriptions/{subscription_id}"
    model = Confirm(
        title=f"Resume {held.title} for {held.customer.name}?",
        sentences=(
            f"The cancellation is taken back. {what_resuming_means(life_of(held, means.policy), means)}",
            "The customer is told by mail.",
        ),
        action=f"{here}/resume",
        button="Resume on behalf",
        back=here,
        asks_reason="Why, and how did they ask?",
        reason_needed=True,
    )
    return page(request, "confirm.html", model)


@router.post("/resume")
async def resume(
    request: Request, subscription_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """Ask for it; the decision is shown on the next page, and mailed to the customer."""
    await known.subscription(reading, subscription_id)
    await limits.hold(means, limits.CHANGE, staff.by)
    here = f"/staff/subscriptions/{subscription_id}"
    reason = known.reason_of(form)
    wish = Resume(by=staff.by, request_id=form.request_id)
    await known.note(means, staff, "resume_on_behalf", subscription_id, reason, form.request_id)
    try:
        taken = await ask(starter.resume(means.temporal, subscription_id, wish))
    except NotTaken:
        return not_taken(request, form, "The resumption", here)
    except Refused as no:
        await flash(means, staff.visit, "It cannot be resumed.", "bad", str(no))
    else:
        await _tell(means, staff, taken)
    return seen_next(here)


async def _tell(means: Means, staff: StaffVisit, taken: Taken) -> None:
    if taken.decision is None:
        await flash(means, staff.visit, "Received.", "good", LEFT)
        return
    tone = "warning" if taken.decision.outcome is Outcome.DEFERRED else "good"
    mailed = "" if taken.decision.outcome is Outcome.NO_CHANGE else "The customer is told by mail."
    await flash(means, staff.visit, taken.decision.sentence, tone, mailed)
