"""The calendar of the rules, written once more: terms, the cut-off, the renewal date, working days (R1, R2, R4, R5)."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)


def local(day: date, clock: time = time(0)) -> datetime:
    """A wall-clock time in London, in UTC."""
    return datetime.combine(day, clock, LONDON).astimezone(UTC)


def day_of(instant: datetime) -> date:
    """The day in London."""
    return instant.astimezone(LONDON).date()


def year_on(expires_on: date, anchor: int) -> date:
    """The next expiry (R1)."""
    year, month = expires_on.year + 1, expires_on.month
    return date(year, month, min(anchor, monthrange(year, month)[1]))


def cut_off(expires_on: date) -> datetime:
    """The first instant that is too late to cancel (R2): the fifteenth day before is the last that counts."""
    return local(expires_on - 14 * DAY)


def renews_at(expires_on: date, wanted: date | None = None) -> datetime:
    """When the renewal is settled (R4)."""
    return local(wanted or expires_on - 14 * DAY, time(9))


def ends_at(expires_on: date) -> datetime:
    """The first instant that is not covered."""
    return local(expires_on + DAY)


@cache
def _closed(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def promised_by(paid_at: datetime) -> datetime:
    """The end of the next working day after the day of payment (R5)."""
    day = day_of(paid_at) + DAY
    while day.weekday() > 4 or day in _closed(day.year):
        day += DAY
    return local(day, time(17, 30))
