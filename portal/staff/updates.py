"""License updates that are owed, soonest promise first, and staff's news of one of them (R23, R24)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db import update_queue
from db.update_queue import ExpiryNotAsPromised, QueuedUpdate, UnknownUpdate, UpdateClosed
from domain.messages import LicenseUpdated
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form, Sent
from portal.security.visits import StaffVisit, Support
from portal.staff import known, promise_clock
from reception import update_news
from reception.update_words import product_code, to_do

MOST = 200
STATES = {"done": "is done", "refused": "is refused", "pending": "will be done another way"}

router = APIRouter(prefix="/staff/updates")


@dataclass(frozen=True)
class Row:
    """One update that is owed."""

    path: str
    customer: str
    code: str
    last_four: str
    to_do: str
    by_hand: bool
    promise_at: datetime
    clock: str
    tone: str


@dataclass(frozen=True)
class QueuePage:
    """The model of `staff/updates.html`."""

    rows: tuple[Row, ...]
    more: bool
    late_only: bool


@dataclass(frozen=True)
class UpdatePage:
    """The model of `staff/update.html`."""

    path: str
    row: Row
    update: QueuedUpdate
    to_do: tuple[str, ...]
    revealed: str
    mistake: str = ""
    request_id: str = field(default_factory=new_request_id)


@router.get("")
async def queue(
    request: Request, staff: Support, means: Given, reading: Reading, late: bool = False
) -> Response:
    """All that is owed, whichever way it is done."""
    owed = await update_queue.queue(reading, means.now(), late, MOST + 1)
    rows = tuple(_row(means, each) for each in owed[:MOST])
    return page(request, "staff/updates.html", QueuePage(rows, len(owed) > MOST, late))


@router.get("/{update_id}")
async def one(request: Request, update_id: str, staff: Support, means: Given, reading: Reading) -> Response:
    """What is to be done, and the forms to tell what came of it."""
    return page(request, "staff/update.html", await _model(reading, means, update_id))


@router.post("/{update_id}/key")
async def show_key(
    request: Request, update_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """The same page with the whole key on it, for the vendor's pages; who looked and why is written down (R28, R29)."""
    await _known(reading, means, update_id)
    why = known.reason_of(form)
    await limits.hold(means, limits.REVEAL, staff.by)
    async with means.sessions.begin() as session:
        key = await update_queue.reveal(session, means.key_ring, update_id, staff.by, means.now(), why)
    return page(request, "staff/update.html", await _model(reading, means, update_id, key))


@router.post("/{update_id}/done")
async def done(
    request: Request, update_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """It is done: the vendor's own record shows this expiry (R24)."""
    try:
        seen_on = date.fromisoformat(form.text("expires_on", 10))
    except ValueError:
        mistake = "Write the last covered day as the vendor's record shows it, like 2027-08-31."
        model = await _model(reading, means, update_id, mistake=mistake)
        return page(request, "staff/update.html", model, status=422)
    return await _report(request, update_id, staff, form, means, reading, {"expires_on": seen_on})


@router.post("/{update_id}/refused")
async def refused(
    request: Request, update_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """The vendor's final no: the payment is given back, the customer told."""
    return await _report(request, update_id, staff, form, means, reading, {"refusal": known.reason_of(form)})


@router.post("/{update_id}/moved")
async def moved(
    request: Request, update_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """It is done the other way from now on: by hand instead of by the vendor's API, or back."""
    owed, reason = await _known(reading, means, update_id), known.reason_of(form)
    details = {"update": update_id}
    await known.note(means, staff, "move_update", owed.subscription_id, reason, form.request_id, details)
    channel = form.text("channel", 10)
    if channel not in ("by_hand", "api"):
        raise HTTPException(422, "Say how it is done from now on. Nothing has been changed.")
    return await _report(request, update_id, staff, form, means, reading, {"channel": channel})


async def _report(
    request: Request,
    update_id: str,
    staff: StaffVisit,
    form: Sent,
    means: Means,
    reading: Reading,
    what: dict[str, object],
) -> Response:
    """Bring the news to the workflow; whoever comes second is told who was first."""
    await _known(reading, means, update_id)
    await limits.hold(means, limits.CHANGE, staff.by)
    here = f"/staff/updates/{update_id}"
    news = LicenseUpdated.model_validate(
        {"update_id": update_id, "by": staff.by, "request_id": form.request_id, **what}
    )
    try:
        reported = await ask(update_news.report(means.sessions, means.temporal, news))
    except NotTaken:
        return not_taken(request, form, "Your news", here)
    except ExpiryNotAsPromised as no:
        model = await _model(reading, means, update_id, mistake=_sentence(no))
        return page(request, "staff/update.html", model, status=422)
    except (UpdateClosed, Refused) as no:
        await flash(means, staff.visit, "Nothing was changed.", "warning", _sentence(no))
        return seen_next(here)
    if not reported.taken:
        left = "It is left with the server, and written down when a worker comes to this update."
        await flash(means, staff.visit, "Received.", "good", left)
        return seen_next(here)
    await flash(means, staff.visit, f"Written down: the update {STATES[reported.update.state]}.", "good")
    return seen_next("/staff/updates")


async def _known(reading: Reading, means: Means, update_id: str) -> QueuedUpdate:
    try:
        return await update_queue.one(reading, update_id, means.now())
    except UnknownUpdate as unknown:
        raise HTTPException(404) from unknown


async def _model(
    reading: Reading, means: Means, update_id: str, revealed: str = "", mistake: str = ""
) -> UpdatePage:
    owed = await _known(reading, means, update_id)
    row = _row(means, owed)
    return UpdatePage(row.path, row, owed, tuple(to_do(owed)), revealed, mistake)


def _row(means: Means, owed: QueuedUpdate) -> Row:
    return Row(
        path=f"/staff/updates/{owed.update_id}",
        customer=owed.customer_name,
        code=product_code(owed, means.catalogue),
        last_four=owed.last_four,
        to_do="; ".join(to_do(owed)),
        by_hand=owed.channel == "by_hand",
        promise_at=owed.promise_at,
        clock=promise_clock.left(owed.promise_at, means.now()),
        tone=promise_clock.tone(owed.promise_at, means.now()),
    )


def _sentence(no: Exception) -> str:
    text = str(no)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
