"""Renewals and orders at the vendor: as often as they must be, from and to the right dates (R1, R7–R9, R22–R25)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from chaos.checker import dates, wishes
from chaos.checker.case import Case, Cases
from chaos.checker.violation import Violation

SURE_PAYERS = ("credit", "card", "partly")
SOON = timedelta(days=2)
"""A renewal that fell due so short before the end of the story may be under way."""


def check(cases: Cases) -> Iterator[Violation]:
    """Every subscription against the vendor's own record."""
    licenses = {license["license_key"]: license for license in cases.evidence["vendor"]["licenses"]}
    for case in cases.all:
        yield from _chain(case, licenses.get(case.key))
        yield from _as_often_as_due(case)
        yield from wishes.check(case)
    yield from _orders(cases)


def _renewals(case: Case) -> list[tuple[str, str]]:
    return [(o["from_expires_on"], o["to_expires_on"]) for o in case.at_vendor if o["kind"] == "renewal"]


def _chain(case: Case, license: dict[str, object] | None) -> Iterator[Violation]:
    """Term follows on term, and the vendor, our row and the rules agree on where it ends."""
    made = _renewals(case)
    expiries = case.expiries()
    expires_on = next(expiries)
    for seen in made:
        following = next(expiries)
        if seen != (str(expires_on), str(following)):
            yield Violation("due", case.id, f"the vendor renewed {seen}, due was {expires_on} to {following}")
            return
        expires_on = following
    shown = (license or {}).get("expires_on")
    if shown != str(expires_on) or case.subscription["expires_on"] != str(expires_on):
        yield Violation(
            "due",
            case.id,
            f"runs to {expires_on} by its orders, {shown} at the vendor, {case.subscription['expires_on']} in our row",
        )


def _as_often_as_due(case: Case) -> Iterator[Violation]:
    made, wanted = len(_renewals(case)), wishes.renewed_terms(case)
    if made in wanted:
        return
    if made > max(wanted):
        yield Violation(
            "cancel", case.id, f"renewed {made} times, though asked not to be after {sorted(wanted)}"
        )
        return
    expiries = case.expiries()
    unrenewed = next(expires_on for number, expires_on in enumerate(expiries) if number == made)
    if _under_way(case, unrenewed) or _nobody_paid(case, unrenewed):
        return
    yield Violation(
        "due",
        case.id,
        f"renewed {made} times, not {sorted(wanted)}: the term to {unrenewed} was to be renewed",
    )


def _under_way(case: Case, expires_on: date) -> bool:
    return case.reached is not None and case.reached < case.due_on(expires_on) + SOON


def _nobody_paid(case: Case, expires_on: date) -> bool:
    """Whether the customer cannot have paid: no card said yes in time, and no credit came."""
    if case.row["payer"] in SURE_PAYERS:
        return False
    late_until = dates.ends_at(expires_on) + timedelta(days=30)
    last_attempt = dates.local(expires_on)
    for act in case.acts:
        if act["answer"]["outcome"] != "accepted":
            continue
        ended = datetime.fromisoformat(act["ended"])
        by = {"bank_relents": last_attempt, "new_card": late_until, "grant": late_until}.get(act["kind"])
        if by is not None and ended < by - timedelta(minutes=5):
            return False
    return any(line["key"] == f"lapse/{case.id}/{expires_on}" for line in case.lines("lapse")) or (
        case.subscription["state"] == "collecting"
    )


def _orders(cases: Cases) -> Iterator[Violation]:
    """Every paid order is done once at the vendor, and the vendor did nothing that was not paid."""
    placed = Counter(order["reference"] for order in cases.evidence["vendor"]["orders"])
    ours = {order["key"]: order for order in cases.tables["orders"]}
    for key, times in placed.items():
        order = ours.get(key)
        if times > 1:
            yield Violation("order", key, f"the vendor did it {times} times")
        if order is None or order["state"] != "fulfilled":
            yield Violation(
                "order", key, f"done at the vendor, here it is {order['state'] if order else 'unknown'}"
            )
    for key, order in ours.items():
        if order["state"] == "paid":
            yield Violation("order", order["id"], f"paid at {order['paid_at']} and not fulfilled")
        if order["state"] == "fulfilled" and key not in placed:
            yield Violation("order", order["id"], f"fulfilled, but the vendor has no order {key}")
    held = {license["license_key"]: license for license in cases.evidence["vendor"]["licenses"]}
    for case in cases.all:
        for order in case.orders:
            missing = set(order["added_addons"]) - set(held.get(case.key, {}).get("addons", ()))
            if order["kind"] == "addon" and order["state"] == "fulfilled" and missing:
                yield Violation("order", order["id"], f"the vendor's record lacks {sorted(missing)}")
