"""Two forecasts side by side, as tables: which figures and which dates are not the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain import foresight
from domain.foresight import Cost, Difference
from domain.happening import Kind
from forecast.foreseen import Foreseen
from forecast.tables import MINOR, WHOSE, Table, whose


def differences(before: Foreseen, after: Foreseen, cost: tuple[Cost, Cost]) -> list[Table]:
    """What a what-if changes, by month and by customer."""
    names = {one.customer_id: one.customer for one in before.subjects.values()}
    by_month = foresight.differences(
        foresight.by_month(before.happenings, cost[0]), foresight.by_month(after.happenings, cost[1])
    )
    by_customer = foresight.differences(
        foresight.by_customer(before.happenings, cost[0]), foresight.by_customer(after.happenings, cost[1])
    )
    return [
        _differences("months", "What differs by month", by_month, {}),
        _differences("customers", "What differs by customer", by_customer, names),
        _moved(before, after),
    ]


def _differences(name: str, title: str, found: Sequence[Difference], names: dict[str, str]) -> Table:
    rows = []
    for one in found:
        who, currency = one.row
        suffix = MINOR if one.figure.endswith(MINOR) else ""
        rows.append(
            {
                "whose": names.get(who, who),
                "currency": currency,
                "figure": one.figure.removesuffix(MINOR),
                f"plain{suffix}": one.before,
                f"what_if{suffix}": one.after,
                f"change{suffix}": one.after - one.before,
            }
        )
    return Table(f"differences-{name}", title, ("whose", "currency", "figure", *THREE), tuple(rows))


THREE = ("plain", "what_if", "change")


def _moved(before: Foreseen, after: Foreseen) -> Table:
    """Dates that a what-if moves: cut-offs, renewals, promises."""
    rows = []
    for subscription_id, old in before.subjects.items():
        new = after.subjects.get(subscription_id)
        if new is None:
            continue
        dates = [("cancel by", old.cancel_by, new.cancel_by), ("renews on", old.renews_on, new.renews_on)]
        promised = _promises(before, subscription_id), _promises(after, subscription_id)
        dates += [("promise", *pair) for pair in zip(*promised, strict=False)]
        rows += [
            {**whose(old), "date": what, "plain": was, "what_if": now}
            for what, was, now in dates
            if was != now
        ]
    columns = (*WHOSE, "date", "plain", "what_if")
    return Table("differences-dates", "Dates that move", columns, tuple(rows))


def _promises(seen: Foreseen, subscription_id: str) -> list[Any]:
    mine = (one for one in seen.happenings if one.subscription_id == subscription_id)
    return [one.promise_on for one in mine if one.kind is Kind.RENEWAL]
