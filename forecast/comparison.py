"""What a forecast of an import charges beside what the old system would have charged, license by license."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from domain.happening import PAID
from domain.money import NotMoney, UnknownCurrency, format_minor, parse_minor
from forecast.foreseen import Foreseen
from forecast.tables import Table

COLUMNS = ("license_key", "on", "amount", "currency")


class ChargesNotUnderstood(Exception):
    """The file of charges cannot be read; the text says which line and how to mend it."""


@dataclass(frozen=True)
class OldCharge:
    """One charge of the old system. `key` is a fingerprint of the license key; tax is in the amount."""

    key: bytes
    last_four: str
    on: date
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class _Pair:
    on: date | None = None
    amount_minor: int | None = None
    currency: str = ""


def read_row(row: Mapping[str, str | None], line: int) -> tuple[str, date, int, str]:
    """Key, day, minor units and currency of one line. Raises ChargesNotUnderstood."""
    key, on, amount, currency = ((row.get(column) or "").strip() for column in COLUMNS)
    try:
        return key, date.fromisoformat(on), parse_minor(amount, currency), currency
    except (ValueError, NotMoney, UnknownCurrency) as wrong:
        raise ChargesNotUnderstood(f"line {line}: {wrong}") from wrong


def rows_of(lines: Iterable[str]) -> Iterable[tuple[int, Mapping[str, str | None]]]:
    """The lines of the file, numbered, under `license_key,on,amount,currency`. Raises ChargesNotUnderstood."""
    reader = csv.DictReader(lines)
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
        raise ChargesNotUnderstood(f"line 1: columns are missing: {', '.join(missing)}")
    for row in reader:
        yield reader.line_num, row


def compared(seen: Foreseen, keys: Mapping[str, bytes], old: Iterable[OldCharge]) -> Table:
    """The charges of both, paired in order of time. `keys`: subscription id → fingerprint of its key."""
    ours: defaultdict[bytes, list[_Pair]] = defaultdict(list)
    theirs: defaultdict[bytes, list[_Pair]] = defaultdict(list)
    shown: dict[bytes, str] = {}
    for one in seen.happenings:
        if one.kind in PAID:
            ours[keys[one.subscription_id]].append(_Pair(one.on, one.total_minor, one.currency))
    for subscription_id, key in keys.items():
        if subscription_id in seen.subjects:
            shown[key] = seen.of(subscription_id).last_four
    for charge in sorted(old, key=lambda one: one.on):
        theirs[charge.key].append(_Pair(charge.on, charge.amount_minor, charge.currency))
        shown.setdefault(charge.key, charge.last_four)
    rows = []
    for key in sorted(ours.keys() | theirs.keys(), key=lambda one: shown[one]):
        here, there = ours[key], theirs[key]
        for number in range(max(len(here), len(there))):
            mine = here[number] if number < len(here) else _Pair()
            other = there[number] if number < len(there) else _Pair()
            rows.append(
                {
                    "key": f"••••{shown[key]}",
                    "verdict": _verdict(mine, other),
                    "on": mine.on,
                    "old_on": other.on,
                    "currency": mine.currency or other.currency,
                    "charge": _shown(mine),
                    "old_charge": _shown(other),
                }
            )
    columns = ("key", "verdict", "on", "old_on", "charge", "old_charge")
    return Table("comparison", "Beside what the old system would have charged", columns, tuple(rows))


def _verdict(mine: _Pair, other: _Pair) -> str:
    if other.on is None:
        return "only here"
    if mine.on is None:
        return "only there"
    if mine.currency != other.currency:
        return "another currency"
    if mine.amount_minor != other.amount_minor:
        return "another amount"
    return "agrees" if mine.on == other.on else "another day"


def _shown(pair: _Pair) -> str:
    return "" if pair.amount_minor is None else format_minor(pair.amount_minor, pair.currency)
