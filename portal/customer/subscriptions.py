"""A customer's subscriptions, and what happens next to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from db import subscriptions
from portal.means import Reading
from portal.pages.rendering import page
from portal.security.visits import Customer

router = APIRouter()


@dataclass(frozen=True)
class Row:
    """One subscription in the list."""

    path: str
    title: str
    last_four: str
    state: str
    expires_on: date


@dataclass(frozen=True)
class ListPage:
    """The model of `customer/subscriptions.html`."""

    rows: tuple[Row, ...]


@router.get("/subscriptions")
async def listing(request: Request, visitor: Customer, reading: Reading) -> Response:
    """All of theirs, soonest renewal first."""
    found = await subscriptions.listing(reading, customer=visitor.customer_id)
    rows = tuple(
        Row(
            f"/subscriptions/{held.subscription.id}",
            held.title,
            held.license.last_four,
            held.subscription.state,
            held.subscription.expires_on,
        )
        for held in found
    )
    return page(request, "customer/subscriptions.html", ListPage(rows))
