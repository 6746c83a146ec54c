"""Where one can go from every page, by who one is."""

from __future__ import annotations

from typing import Final

from portal.security.visits import Visit

Place = tuple[str, str]
"""Path and label; the path also stands for the pages below it."""

CUSTOMER: Final[tuple[Place, ...]] = (
    ("/subscriptions", "Subscriptions"),
    ("/credits", "Credits"),
    ("/invoices", "Invoices"),
    ("/cards", "Card"),
    ("/requests", "Requests"),
)
OVERVIEW: Final = "/staff"
"""It stands for itself alone, not for all of staff's pages that are below it."""
SUPPORT: Final[tuple[Place, ...]] = (
    (OVERVIEW, "Overview"),
    ("/staff/search", "Search"),
    ("/staff/updates", "Updates"),
    ("/staff/requests", "Requests"),
    ("/staff/imports", "Imports"),
    ("/staff/differences", "Differences"),
)
OPS: Final[tuple[Place, ...]] = SUPPORT


def places(visit: Visit | None) -> tuple[Place, ...]:
    """The places for this visitor; nobody yet has none."""
    if visit is None or visit.signed_in is None:
        return ()
    person = visit.signed_in.person
    if person.customer_id is not None:
        return CUSTOMER
    return OPS if person.role == "ops" else SUPPORT


def current(path: str, among: tuple[Place, ...]) -> str:
    """Which of the places a page belongs to; the longest path that fits, empty if none does."""
    fitting = [
        place for place, _ in among if path == place or (place != OVERVIEW and path.startswith(f"{place}/"))
    ]
    return max(fitting, key=len, default="")
