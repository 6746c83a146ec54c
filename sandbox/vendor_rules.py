"""How an order changes a license at the sandbox vendor: dates, sizes, editions. Pure; refuses with `Problem`.

On purpose not our own `domain/`: the vendor reckons for itself, so that the two can be compared.
"""

from calendar import monthrange
from datetime import date

from sandbox.vendor_forms import License, Order
from sandbox.vendor_problems import Problem

EDITIONS = ("free", "professional", "enterprise")


def changed(license: License, order: Order, strict_expiry: bool) -> License:
    """The license after the order.

    Unless strict, a renewal extends from wherever the license stands: two orders with two idempotency keys
    extend it twice, and everyone can see it. Strict, the order's dates must agree with the vendor's.
    """
    if strict_expiry and order.from_expires_on != license.expires_on:
        detail = "the license has another expiry"
        raise Problem("expiry_differs", detail, current_expires_on=license.expires_on)
    expires_on = extended(license.expires_on, order.months, order.to_expires_on)
    if strict_expiry and order.to_expires_on != expires_on:
        raise Problem("not_possible", f"{order.months} months lead to {expires_on}")
    size = order.size or license.size
    edition = order.edition or license.edition
    after = {"expires_on": expires_on, "size": size, "edition": edition}
    if order.kind == "renewal":
        return license.model_copy(update=after | {"addons": order.addons, "status": "active"})
    if _smaller(license.size, size) or _lower(license.edition, edition):
        raise Problem("not_possible", "a downgrade is made at renewal")
    return license.model_copy(update=after | {"addons": license.addons | order.addons})


def extended(expires_on: date, months: int, wanted: date) -> date:
    """So many months on, the day clamped to the month's last.

    A license that stands on the last day of a month may have been clamped before, and only its keeper knows
    its anchor: a later day of the right month is granted if wanted (R1: 2031-02-28 → 2032-02-29, anchor 29).
    """
    year, month = divmod(expires_on.year * 12 + expires_on.month - 1 + months, 12)
    month += 1
    clamped = date(year, month, min(expires_on.day, monthrange(year, month)[1]))
    at_month_end = expires_on.day == monthrange(expires_on.year, expires_on.month)[1]
    same_month = (wanted.year, wanted.month) == (year, month)
    return wanted if months and at_month_end and same_month and wanted > clamped else clamped


def _smaller(before: str, after: str) -> bool:
    """Whether a size shrinks; sizes that are neither numbers nor 'unlimited' are not compared."""
    if before.lower() == "unlimited":
        return after.isdecimal()
    return before.isdecimal() and after.isdecimal() and int(after) < int(before)


def _lower(before: str, after: str) -> bool:
    """Whether an edition goes down; unknown editions are not compared."""
    known = before.lower() in EDITIONS and after.lower() in EDITIONS
    return known and EDITIONS.index(after.lower()) < EDITIONS.index(before.lower())
