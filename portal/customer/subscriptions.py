"""A customer's subscriptions, and what happens next to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from db import subscriptions
from db.life import life_of
from db.subscriptions import Held
from domain import outlook
from domain.messages import State
from domain.milestones import Policy
from portal.means import Given, Reading
from portal.pages.rendering import page
from portal.security.visits import Customer

ON_A_PAGE = 25

router = APIRouter()


@dataclass(frozen=True)
class Row:
    """One subscription in the list."""

    path: str
    title: str
    last_four: str
    addons: tuple[str, ...]
    state: str
    expires_on: date
    next_step: str
    needs_card: bool


@dataclass(frozen=True)
class ListPage:
    """The model of `customer/subscriptions.html`."""

    rows: tuple[Row, ...]
    ended: bool
    first: bool
    more: str
    """Where the list goes on; empty: it does not."""


@router.get("/subscriptions")
async def listing(
    request: Request,
    visitor: Customer,
    means: Given,
    reading: Reading,
    ended: bool = False,
    expires: date | None = None,
    after: str = "",
) -> Response:
    """Theirs, soonest expiry first, a page at a time; with `ended` those that are over."""
    cursor = (expires, after) if expires else None
    found = await subscriptions.of_customer(reading, visitor.customer_id, ended, cursor, ON_A_PAGE + 1)
    shown, rest = found[:ON_A_PAGE], found[ON_A_PAGE:]
    rows = tuple(_row(held, means.policy) for held in shown)
    model = ListPage(rows, ended, cursor is None, _more(shown[-1], ended) if rest else "")
    return page(request, "customer/subscriptions.html", model)


def _row(held: Held, policy: Policy) -> Row:
    row = held.subscription
    return Row(
        path=f"/subscriptions/{row.id}",
        title=held.title,
        last_four=held.license.last_four,
        addons=tuple(held.license.addons),
        state=row.state,
        expires_on=row.expires_on,
        next_step=outlook.next_step(life_of(held, policy)),
        needs_card=row.state in (State.COLLECTING, State.LAPSED),
    )


def _more(last: Held, ended: bool) -> str:
    cursor = {"expires": last.subscription.expires_on.isoformat(), "after": last.subscription.id}
    return f"/subscriptions?{urlencode(cursor | ({'ended': 'true'} if ended else {}))}"
