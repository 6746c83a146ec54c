"""How amounts, days, instants and states read on a page: the filters of the templates. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from domain.local_time import in_words, local_date, require_aware, zone_info
from domain.messages import State
from domain.money import format_minor
from notices import wording

STATES: Final = {
    State.ACTIVE: "Renews",
    State.CANCELLED: "Will not renew",
    State.COLLECTING: "Payment needed",
    State.UPDATING: "Being renewed",
    State.REFUSED: "Refused by the vendor",
    State.LAPSED: "Lapsed",
    State.EXPIRED: "Ended",
}

TONES: Final = {
    State.ACTIVE: "good",
    State.CANCELLED: "quiet",
    State.COLLECTING: "warning",
    State.UPDATING: "busy",
    State.REFUSED: "bad",
    State.LAPSED: "bad",
    State.EXPIRED: "quiet",
}
"""How a state looks, besides its word: color alone says nothing to some."""


def money(amount_minor: int, currency: str) -> str:
    """Minor units for a reader: `£1,200.00`; what is taken off has a real minus (R11)."""
    return format_minor(amount_minor, currency).replace("-", "−")


def day(value: date) -> str:
    """A day for a reader: `31 August 2027`."""
    return in_words(value)


def moment(value: datetime, zone: str) -> str:
    """An instant for a reader, in the business's zone: `16 August 2027, 23:59`."""
    local = require_aware(value).astimezone(zone_info(zone))
    return f"{in_words(local.date())}, {local:%H:%M}"


def local_day(value: datetime, zone: str) -> str:
    """The business's local day of an instant: `16 August 2027`."""
    return in_words(local_date(require_aware(value), zone))


def before_midnight(value: datetime, zone: str) -> str:
    """The local day that ends with this instant, or in which it lies: `16 August 2027`."""
    return in_words(local_date(require_aware(value) - timedelta(microseconds=1), zone))


def state(value: str) -> str:
    """A subscription's state in a customer's words."""
    return STATES[State(value)]


def tone(value: str) -> str:
    """How a subscription's state looks."""
    return TONES[State(value)]


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Names in a sentence: `A, B and C`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


FILTERS: Final = {
    "money": money,
    "day": day,
    "moment": moment,
    "local_day": local_day,
    "before_midnight": before_midnight,
    "state": state,
    "tone": tone,
    "listed": listed,
    "masked": wording.masked,
    "reason": wording.reason,
    "wish": wording.wish,
    "asker": wording.asker,
}
