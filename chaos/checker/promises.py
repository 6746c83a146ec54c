"""Promises: made for the right time, and kept or flagged (R5, R23)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chaos.checker import dates
from chaos.checker.case import Cases
from chaos.checker.violation import Violation


def check(cases: Cases) -> Iterator[Violation]:
    """Every license update that was owed."""
    orders = {order["id"]: order for order in cases.tables["orders"]}
    broken = {notice["subject"] for notice in cases.tables["notices"] if notice["kind"] == "promise_broken"}
    owed = set()
    for update in cases.tables["license_updates"]:
        order = orders[update["order_id"]]
        owed.add(order["id"])
        promise_at = datetime.fromisoformat(update["promise_at"])
        should = dates.promised_by(datetime.fromisoformat(order["paid_at"]))
        if promise_at != should:
            yield Violation(
                "promise", update["id"], f"promised by {promise_at}, paid {order['paid_at']}: {should}"
            )
        done_at = datetime.fromisoformat(update["done_at"]) if update["done_at"] else None
        kept = done_at is not None and done_at <= promise_at
        if update["state"] != "refused" and not kept and not update["late"]:
            yield Violation(
                "promise", update["id"], f"promised by {promise_at}, done {done_at}, and never flagged"
            )
        if update["late"] and order["id"] not in broken:
            yield Violation("promise", update["id"], "flagged, but staff were not told")
    for order in orders.values():
        if order["state"] in ("paid", "fulfilled") and order["id"] not in owed:
            yield Violation("promise", order["id"], "paid, and no license update is owed for it")
