"""A forecast as tables: the same rows for terminal, CSV, JSON and page. Values are plain; amounts are minor units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from domain import foresight
from domain.foresight import Cost, Subject, no_cost
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
        {"on": one.on, **whose(seen.of(one.subscription_id)), "reason": one.reason}
        for one in seen.happenings
        if one.kind is Kind.LAPSE
    ]
    return _table("lapses", "Lapses to expect", rows, ("on", *WHOSE, "reason"))


def risks(seen: Foreseen, a_day: int) -> Table:
    """Promises that may not be kept."""
    rows = [
        {"promise_on": one.promise_on, **whose(seen.of(one.subscription_id)), "why": one.why}
        for one in foresight.risks(seen.happenings, seen.subjects, a_day)
    ]
    return _table("risks", "Promises at risk", rows, ("promise_on", *WHOSE, "why"))


def cancellable(seen: Foreseen) -> Table:
    """Renewals that can still be cancelled, and by when."""
    rows = [
        {"cancel_by": one.cancel_by, "renews_on": one.renews_on, **whose(one)}
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
        **whose(seen.of(one.subscription_id)),
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


def _figures(cost: Cost) -> tuple[str, ...]:
    names = tuple(foresight.Sums.__dataclass_fields__)
    return names if cost is not no_cost else tuple(name for name in names if name != "vendor_minor")


def _sums(sums: foresight.Sums, cost: Cost) -> dict[str, int]:
    figures = asdict(sums)
    return {name: figures[name] for name in _figures(cost)}


def whose(subject: Subject) -> dict[str, str]:
    """Which license it is, and whose."""
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
