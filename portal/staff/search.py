"""Search: what names one thing leads straight to it, anything else to a list. Nobody is asked for a whole key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from db import search
from db.subscriptions import Held
from portal.means import Reading
from portal.pages.rendering import page, seen_next
from portal.security.visits import Support

FOLDERS: Final = {
    "customer": "customers",
    "subscription": "subscriptions",
    "invoice": "invoices",
    "request": "requests",
    "update": "updates",
}
LONGEST = 200

router = APIRouter()


@dataclass(frozen=True)
class License:
    """One license whose key ends so."""

    path: str
    title: str
    last_four: str
    state: str
    expires_on: date
    customer: str


@dataclass(frozen=True)
class SearchPage:
    """The model of `staff/search.html`; customers are path, name and e-mail address."""

    text: str
    customers: tuple[tuple[str, str, str], ...]
    licenses: tuple[License, ...]
    more: bool = False
    """More customers fit than are shown."""


@router.get("/staff/search")
async def found(request: Request, staff: Support, reading: Reading, q: str = "") -> Response:
    """What fits; one thing alone is shown at once."""
    text = q.strip()[:LONGEST]
    if not text:
        return page(request, "staff/search.html", SearchPage("", (), ()))
    if (exact := await search.exactly(reading, text)) is not None:
        noun, id_or_number = exact
        return seen_next(f"/staff/{FOLDERS[noun]}/{id_or_number}")
    licenses = tuple(_license(held) for held in await search.by_last_four(reading, text))
    fitting = await search.customers(reading, text, search.MOST + 1)
    customers = tuple(
        (f"/staff/customers/{each.id}", each.name, each.email) for each in fitting[: search.MOST]
    )
    only = [path for path, _, _ in customers] + [license.path for license in licenses]
    if len(only) == 1:
        return seen_next(only[0])
    return page(
        request, "staff/search.html", SearchPage(text, customers, licenses, len(fitting) > search.MOST)
    )


def _license(held: Held) -> License:
    row = held.subscription
    return License(
        f"/staff/subscriptions/{row.id}",
        held.title,
        held.license.last_four,
        row.state,
        row.expires_on,
        held.customer.name,
    )
