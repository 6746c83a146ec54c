"""A forecast as tables: the same rows for terminal, CSV, JSON and page. Values are plain; amounts are minor units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domain import foresight
from domain.foresight import Cost, Difference, Subject, no_cost
from domain.happening import Happening, Kind
from domain.money import format_minor, plain
from forecast.foreseen import Foreseen

MINOR = "_minor"
UPDATES_A_DAY = 25
"""So many license updates by hand can staff do on a working day, unless said otherwise."""


@dataclass(frozen=True)
class Table:
    """Rows under names; a column that ends in `_minor` is an amount of the row's `currency`."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def headings(self) -> list[str]:
        """Column names as people read them."""
        return [column.removesuffix(MINOR).replace("_", " ") for column in self.columns]

    def amounts_plain(self) -> Iterable[list[object]]:
        """Rows for a file: amounts like `200.00`."""
        return ([_cell(row, column, plain) for column in self.columns] for row in self.rows)

    def amounts_shown(self) -> Iterable[list[str]]:
        """Rows for a reader: amounts like `£200.00`, nothing for what is not there."""
        return ([_text(_cell(row, column, format_minor)) for column in self.columns] for row in self.rows)

    def is_number(self, column: str) -> bool:
        """Whether a column stands at the right."""
        return column.endswith(MINOR) or any(
            isinstance(row.get(name), int) for row in self.rows for name in (column, f"{column}{MINOR}")
        )


def all_tables(seen: Foreseen, cost: Cost = no_cost, a_day: int = UPDATES_A_DAY) -> list[Table]:
    """Everything that a forecast tells."""
    return [
        months(seen, cost),
        customers(seen, cost),
        lapses(seen),
        risks(seen, a_day),
        cancellable(seen),
        load(seen),
        happenings(seen),
    ]


def months(seen: Foreseen, cost: Cost = no_cost) -> Table:
    """Sums by month."""
    rows = [
        {"month": month, "currency": currency} | _sums(sums, cost)
        for (month, currency), sums in foresight.by_month(seen.happenings, cost).items()
    ]
    return _table("months", "By month", rows, ("month", "currency", *_figures(cost)))


def customers(seen: Foreseen, cost: Cost = no_cost) -> Table:
    """Sums by customer, also of those to whom nothing happens but who have credits."""
    names = {one.customer_id: one.customer for one in seen.subjects.values()}
    summed = foresight.by_customer(seen.happenings, cost)
    credit = ("credits_now_minor", "credits_left_minor")
    rows = []
    for key in sorted(summed.keys() | seen.credits_now.keys() | seen.credits_left.keys()):
        left = (seen.credits_now.get(key, 0), seen.credits_left.get(key, 0))
        rows.append(
            {"customer_id": key[0], "customer": names.get(key[0], ""), "currency": key[1]}
            | _sums(summed.get(key, foresight.Sums()), cost)
            | dict(zip(credit, left, strict=True))
        )
    columns = ("customer_id", "customer", "currency", *_figures(cost), *credit)
    return _table("customers", "By customer", rows, columns)


def lapses(seen: Foreseen) -> Table:
    """Licenses that will lapse, and why."""
    rows = [
        {"on": one.on, **_whose(seen.of(one.subscription_id)), "reason": one.reason}
        for one in seen.happenings
        if one.kind is Kind.LAPSE
    ]
    return _table("lapses", "Lapses to expect", rows, ("on", *WHOSE, "reason"))


def risks(seen: Foreseen, a_day: int) -> Table:
    """Promises that may not be kept."""
    rows = [
        {"promise_on": one.promise_on, **_whose(seen.of(one.subscription_id)), "why": one.why}
        for one in foresight.risks(seen.happenings, seen.subjects, a_day)
    ]
    return _table("risks", "Promises at risk", rows, ("promise_on", *WHOSE, "why"))


def cancellable(seen: Foreseen) -> Table:
    """Renewals that can still be cancelled, and by when."""
    rows = [
        {"cancel_by": one.cancel_by, "renews_on": one.renews_on, **_whose(one)}
        for one in foresight.cancellable(seen.subjects.values(), seen.began_at, seen.until)
    ]
    return _table("cancellable", "Cancellations still possible", rows, ("cancel_by", "renews_on", *WHOSE))


def load(seen: Foreseen) -> Table:
    """License updates due on each working day."""
    rows = [
        {
            "working_day": day,
            "updates": len(due),
            "by_hand": sum(seen.of(one.subscription_id).by_hand for one in due),
        }
        for day, due in foresight.load(seen.happenings).items()
    ]
    title = "License updates due by the end of each working day"
    return _table("load", title, rows, ("working_day", "updates", "by_hand"))


def happenings(seen: Foreseen) -> Table:
    """Line by line."""
    rows = [line(seen, one) for one in seen.happenings]
    return _table("happenings", "Line by line", rows, LINE)


WHOSE = ("subscription", "license", "key", "customer")
LINE = (
    "on",
    "kind",
    *WHOSE,
    "currency",
    "net_minor",
    "tax_minor",
    "credits_minor",
    "cash_minor",
    "short_minor",
    "promise_on",
    "covered_to",
    "reason",
)


def line(seen: Foreseen, one: Happening) -> dict[str, Any]:
    """One happening as a row."""
    return {
        "on": one.on,
        "kind": one.kind.value,
        **_whose(seen.of(one.subscription_id)),
        "currency": one.currency,
        "net_minor": one.net_minor,
        "tax_minor": one.tax_minor,
        "credits_minor": one.credits_minor,
        "cash_minor": one.card_minor,
        "short_minor": one.short_minor,
        "promise_on": one.promise_on,
        "covered_to": one.covered_to,
        "reason": one.reason,
    }


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
            {**_whose(old), "date": what, "plain": was, "what_if": now}
            for what, was, now in dates
            if was != now
        ]
    columns = (*WHOSE, "date", "plain", "what_if")
    return Table("differences-dates", "Dates that move", columns, tuple(rows))


def _promises(seen: Foreseen, subscription_id: str) -> list[Any]:
    mine = (one for one in seen.happenings if one.subscription_id == subscription_id)
    return [one.promise_on for one in mine if one.kind is Kind.RENEWAL]


def _figures(cost: Cost) -> tuple[str, ...]:
    names = tuple(foresight.Sums.__dataclass_fields__)
    return names if cost is not no_cost else tuple(name for name in names if name != "vendor_minor")


def _sums(sums: foresight.Sums, cost: Cost) -> dict[str, int]:
    figures = asdict(sums)
    return {name: figures[name] for name in _figures(cost)}


def _whose(subject: Subject) -> dict[str, str]:
    return {
        "subscription": subject.subscription_id,
        "license": subject.license,
        "key": f"••••{subject.last_four}",
        "customer": subject.customer,
    }


def _table(name: str, title: str, rows: Iterable[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    return Table(name, title, columns, tuple(rows))


def _cell(row: dict[str, Any], column: str, amount: Any) -> Any:
    """A value of a row; one named `plain` may be there as `plain_minor`."""
    if column not in row and f"{column}{MINOR}" in row:
        column = f"{column}{MINOR}"
    value = row[column]
    return amount(value, row["currency"]) if column.endswith(MINOR) else value


def _text(value: object) -> str:
    return "" if value is None else str(value)
