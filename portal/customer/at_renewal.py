"""Leaving an add-on out at the next renewal, or keeping it after all; until then the license has it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

import starter
from domain.local_time import in_words
from domain.messages import ChangeAtRenewal
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.customer.owned import Theirs
from portal.means import Given
from portal.pages.confirm import Confirm
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Customer

router = APIRouter()


@router.get("/subscriptions/{subscription_id}/at-renewal")
async def wish(request: Request, subscription_id: str, held: Theirs, addon: str = "") -> Response:
    """What leaving it out, or keeping it, means."""
    if addon not in held.license.addons:
        raise HTTPException(404)
    here, dropped = f"/subscriptions/{subscription_id}", addon in held.subscription.drop_addons
    last_day = in_words(held.subscription.expires_on)
    sentence = (
        f"{addon} is renewed with the license, as before."
        if dropped
        else f"The license has {addon} through {last_day}; the next renewal leaves it out and costs less."
    )
    model = Confirm(
        title=f"Keep {addon}?" if dropped else f"Leave {addon} out?",
        sentences=(sentence,),
        action=f"{here}/at-renewal",
        button="Keep it" if dropped else "Leave it out at the next renewal",
        back=here,
        grave=not dropped,
        hidden={"addon": addon, "keep": "yes" if dropped else ""},
    )
    return page(request, "confirm.html", model)


@router.post("/subscriptions/{subscription_id}/at-renewal")
async def change(
    request: Request, subscription_id: str, visitor: Customer, form: Form, means: Given, held: Theirs
) -> Response:
    """Ask for it: what the next renewal leaves out replaces what was said before."""
    await limits.hold(means, limits.CHANGE, visitor.by)
    row, addon, keep = held.subscription, form.text("addon", 100), form.text("keep") == "yes"
    others = [name for name in row.drop_addons if name != addon]
    asked = ChangeAtRenewal(
        drop_addons=tuple(others if keep else [*others, addon]),
        edition=row.next_edition,
        size=row.next_size,
        by=visitor.by,
        request_id=form.request_id,
    )
    try:
        taken = await ask(starter.change_at_renewal(means.temporal, subscription_id, asked))
    except NotTaken:
        return not_taken(request, form, "Your change", f"/subscriptions/{subscription_id}")
    except Refused as no:
        await flash(means, visitor.visit, "That was not changed.", "bad", str(no))
        return seen_next(f"/subscriptions/{subscription_id}")
    answer = taken.answer
    if answer is not None and answer.outcome == "refused":
        await flash(means, visitor.visit, "That was not changed.", "bad", answer.reason)
    else:
        done = (
            f"{addon} is renewed." if keep else f"The next renewal leaves out {addon}; until then it stays."
        )
        await flash(means, visitor.visit, done)
    return seen_next(f"/subscriptions/{subscription_id}")
