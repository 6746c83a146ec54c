"""Cancelling a renewal, and taking that back (R7–R10): what it would mean, then the workflow's own decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

import starter
from db.life import life_of
from db.subscriptions import Held
from domain.cancellation import cancel_by, cancel_until
from domain.decisions import Decision, Outcome, Renewed, Renewing, decide_cancel
from domain.local_time import end_of, in_words
from domain.messages import Cancel, Life, Resume, State
from domain.term import ONE_DAY, next_term, term_ending
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.customer.owned import Theirs
from portal.means import Given, Means
from portal.pages.confirm import Confirm, new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Customer
from starter import Taken

LEFT = (
    "Your request is received and kept, with the time at which it came. It is decided within minutes, and we mail you"
    " the decision."
)

router = APIRouter()


@dataclass(frozen=True)
class CancelPage:
    """The model of `customer/cancel.html`: what a cancellation would mean if it were made now."""

    path: str
    title: str
    too_late: bool
    sentence: str
    cancel_by: date
    ends_on: date
    already: bool
    request_id: str = field(default_factory=new_request_id)


@router.get("/subscriptions/{subscription_id}/cancel")
async def wish_to_cancel(request: Request, subscription_id: str, means: Given, held: Theirs) -> Response:
    """What would be decided now, by the same rule that the workflow decides by."""
    life = life_of(held, means.policy)
    if life.state in (State.EXPIRED, State.REFUSED):
        return seen_next(f"/subscriptions/{subscription_id}")
    decision = foreseen(life, means)
    model = CancelPage(
        path=f"/subscriptions/{subscription_id}",
        title=held.title,
        too_late=decision.outcome is Outcome.DEFERRED,
        sentence=decision.sentence,
        cancel_by=decision.cancel_by,
        ends_on=decision.effective_on,
        already=decision.outcome is Outcome.NO_CHANGE,
    )
    return page(request, "customer/cancel.html", model)


@router.post("/subscriptions/{subscription_id}/cancel")
async def cancel(
    request: Request, subscription_id: str, visitor: Customer, form: Form, means: Given, held: Theirs
) -> Response:
    """Ask for it; the decision is shown on the next page, and mailed."""
    await limits.hold(means, limits.CHANGE, visitor.by)
    wish = Cancel(by=visitor.by, reason=form.text("reason"), request_id=form.request_id)
    try:
        taken = await ask(starter.cancel(means.temporal, subscription_id, wish))
    except NotTaken:
        return not_taken(
            request, form, "Your cancellation", f"/subscriptions/{subscription_id}", advice(held, means)
        )
    except Refused as no:
        await flash(means, visitor.visit, "The cancellation was not accepted.", "bad", str(no))
    else:
        await _tell(means, visitor, taken)
    return seen_next(f"/subscriptions/{subscription_id}")


@router.get("/subscriptions/{subscription_id}/resume")
async def wish_to_resume(request: Request, subscription_id: str, means: Given, held: Theirs) -> Response:
    """Say what resuming means; asked once more, for it may take money at once (R9)."""
    life = life_of(held, means.policy)
    model = Confirm(
        title=f"Resume {held.title}?",
        sentences=(f"The cancellation is taken back. {what_resuming_means(life, means)}",),
        action=f"/subscriptions/{subscription_id}/resume",
        button="Resume Subscription",
        back=f"/subscriptions/{subscription_id}",
    )
    return page(request, "confirm.html", model)


@router.post("/subscriptions/{subscription_id}/resume")
async def resume(
    request: Request, subscription_id: str, visitor: Customer, form: Form, means: Given, _held: Theirs
) -> Response:
    """Ask for it; the decision is shown on the next page, and mailed."""
    await limits.hold(means, limits.CHANGE, visitor.by)
    wish = Resume(by=visitor.by, request_id=form.request_id)
    try:
        taken = await ask(starter.resume(means.temporal, subscription_id, wish))
    except NotTaken:
        return not_taken(request, form, "Your resumption", f"/subscriptions/{subscription_id}")
    except Refused as no:
        await flash(means, visitor.visit, "It cannot be resumed.", "bad", str(no))
    else:
        await _tell(means, visitor, taken)
    return seen_next(f"/subscriptions/{subscription_id}")


def foreseen(life: Life, means: Means) -> Decision:
    """What would be decided of a cancellation that came now, by the rule that the workflow decides by (R7, R8)."""
    return decide_cancel(
        Renewing(life.auto_renew, life.ends_after_next),
        life.plan,
        life.term,
        next_term(life.term, life.months, life.anchor_day).expires_on,
        means.now(),
        renewal_settled=life.state == State.UPDATING,
        renewed=renewed_before(life, means),
    )


def what_resuming_means(life: Life, means: Means) -> str:
    """In a sentence, for it may take money at once (R9)."""
    if means.now() >= life.plan.renews_at and not life.auto_renew:
        return "The renewal date has passed, so the renewal is paid and ordered at once."
    return f"It then renews on {in_words(life.plan.renews_on)} as planned."


def renewed_before(life: Life, means: Means) -> Renewed | None:
    """The term before, if its days still run: a cancellation is then about the renewal that is done already (R8)."""
    if means.today() >= life.term.starts_on:
        return None
    before = term_ending(life.term.starts_on - ONE_DAY, life.months, life.anchor_day)
    policy = means.policy
    return Renewed(
        before.expires_on,
        cancel_by(before.expires_on, policy.notice_days),
        end_of(before.expires_on, policy.zone),
    )


async def _tell(means: Means, visitor: Customer, taken: Taken) -> None:
    if taken.decision is None:
        await flash(means, visitor.visit, "Received.", "good", LEFT)
        return
    tone = "warning" if taken.decision.outcome is Outcome.DEFERRED else "good"
    mailed = "" if taken.decision.outcome is Outcome.NO_CHANGE else "We mail you this decision."
    await flash(means, visitor.visit, taken.decision.sentence, tone, mailed)


def advice(held: Held, means: Means) -> str:
    """What to do while it cannot be taken: until when there is time."""
    expires_on = held.subscription.expires_on
    last: datetime = cancel_until(expires_on, means.zone, means.policy.notice_days)
    if means.now() >= last:
        return ""
    day = in_words(cancel_by(expires_on, means.policy.notice_days))
    return f"There is time until the end of {day}. If it still fails, answer any letter of ours before that day ends."
