"""What the reconciliation found to differ and a person has to look at; each may be accepted, with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from db import differences
from db.differences import UnknownDifference
from domain.differences import ADVICE, Kind
from portal.means import Given, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Ops, Support
from portal.staff import known

MOST = 200
SUBSCRIPTION = "sub_"

router = APIRouter(prefix="/staff/differences")


@dataclass(frozen=True)
class Row:
    """One difference; `path` leads to the subscription that it is about, if it is about one."""

    id: str
    kind: str
    subject: str
    path: str
    facts: tuple[tuple[str, str], ...]
    advice: str
    since: datetime
    request_id: str


@dataclass(frozen=True)
class DifferencesPage:
    """The model of `staff/differences.html`."""

    rows: tuple[Row, ...]
    may_accept: bool


@router.get("")
async def listing(request: Request, staff: Support, means: Given, reading: Reading) -> Response:
    """Those that need a person, oldest first."""
    found = await differences.listing(reading, means.now(), MOST)
    rows = tuple(
        Row(
            each.id,
            each.kind.replace("_", " "),
            each.subject,
            f"/staff/subscriptions/{each.subject}" if each.subject.startswith(SUBSCRIPTION) else "",
            tuple((name.replace("_", " "), str(value)) for name, value in each.details.items()),
            ADVICE.get(Kind(each.kind), "") if each.kind in set(Kind) else "",
            each.first_seen_at,
            new_request_id(),
        )
        for each in found
    )
    return page(request, "staff/differences.html", DifferencesPage(rows, staff.is_ops))


@router.post("/{difference_id}/accept")
async def accept(request: Request, difference_id: str, staff: Ops, form: Form, means: Given) -> Response:
    """Say that it was looked at and may stay; audited, once."""
    reason = known.reason_of(form)
    await limits.hold(means, limits.CHANGE, staff.by)
    try:
        async with means.sessions.begin() as session:
            await differences.accept(session, difference_id, staff.by, reason, means.now())
    except UnknownDifference:
        gone = "Somebody accepted it before, or it is gone by itself."
        await flash(means, staff.visit, "Nothing was changed.", "warning", gone)
    else:
        await flash(means, staff.visit, "Accepted.", "good", "It stays in the audit.")
    return seen_next("/staff/differences")
