"""What is known, or assumed, to be done on the way: cancellations, add-ons, credit, a new card; from a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from domain.local_time import local_instant

COLUMNS = ("on", "subscription", "what", "value")
NOON = time(12)


class EventsNotUnderstood(Exception):
    """The file of events cannot be read; the text says which line and how to mend it."""


class What(StrEnum):
    """What somebody does; with some a value goes."""

    CANCEL = "cancel"
    RESUME = "resume"
    ADDONS = "addons"
    """Value: names, with `;` between them."""
    GRANT = "grant"
    """Value: an amount like `200.00` in the subscription's currency, for its customer."""
    CARD = "card"
    """Value: `pays` or `declines`."""


NEEDS_VALUE = (What.ADDONS, What.GRANT, What.CARD)


@dataclass(frozen=True)
class Event:
    """Somebody does something at noon of a local day."""

    on: date
    subscription_id: str
    what: What
    value: str = ""

    def at(self, zone: str) -> datetime:
        """The instant."""
        return local_instant(self.on, NOON, zone)

    def __str__(self) -> str:
        return f"{self.on} {self.subscription_id} {self.what.value} {self.value}".rstrip()


def read(lines: Iterable[str]) -> tuple[Event, ...]:
    """The events of a file with `on,subscription,what,value`. Raises EventsNotUnderstood."""
    reader = csv.DictReader(lines)
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
        raise EventsNotUnderstood(f"line 1: columns are missing: {', '.join(missing)}")
    found = []
    for row in reader:
        on, subscription_id, what, value = ((row[column] or "").strip() for column in COLUMNS)
        try:
            event = Event(date.fromisoformat(on), subscription_id, What(what), value)
        except ValueError as wrong:
            raise EventsNotUnderstood(f"line {reader.line_num}: {wrong}") from wrong
        if event.what in NEEDS_VALUE and not value:
            raise EventsNotUnderstood(f"line {reader.line_num}: {what} needs a value")
        found.append(event)
    return tuple(found)
