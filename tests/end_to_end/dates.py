"""Days to come, so that no test grows too old: a subscription begins now, on the real clock."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
TUESDAY = 1
MOMENT = timedelta(seconds=0.6)
"""What a test may need to act on a clock that was stopped just before an instant."""


def coming(month: int, day: int, after_days: int = 90) -> date:
    """The next such day that leaves time for all reminders."""
    earliest = datetime.now(UTC).date() + timedelta(days=after_days)
    year = earliest.year
    return next(found for year in count(year) if (found := date(year, month, day)) > earliest)


def coming_leap_day() -> date:
    """The next 29 February that leaves time for all reminders."""
    earliest = datetime.now(UTC).date() + timedelta(days=90)
    return next(date(y, 2, 29) for y in count(earliest.year) if isleap(y) and date(y, 2, 29) > earliest)


def coming_weekday(weekday: int) -> date:
    """The next such day of the week in a June to come, far from bank holidays."""
    june = coming(6, 8)
    return june + (weekday - june.weekday()) % 7 * DAY


def local(day: date, clock: str = "12:00") -> datetime:
    """A wall-clock time of the business on a day, as an aware instant."""
    return datetime.combine(day, time.fromisoformat(clock), ZONE).astimezone(UTC)
