"""Days to come, so that no test grows too old: a subscription begins now, on the real clock."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from dateutil.easter import easter

ZONE = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
MONDAY, TUESDAY, THURSDAY = 0, 1, 3


def _soonest() -> date:
    return datetime.now(UTC).date() + 3 * DAY


def coming(month: int, day: int, after: date | None = None) -> date:
    """The next such day."""
    earliest = after or _soonest()
    return next(found for year in count(earliest.year) if (found := date(year, month, day)) > earliest)


def first_of_march() -> date:
    """The next 1 March of a year without 29 February: 184 of 365 days of a term to 31 August are left on it."""
    return next(
        day for year in count(_soonest().year) if (day := date(year, 3, 1)) > _soonest() and not isleap(year)
    )


def coming_weekday(month: int, weekday: int) -> date:
    """The next such day of the week about the middle of the month, which must have no bank holiday there."""
    day = coming(month, 8)
    return day + (weekday - day.weekday()) % 7 * DAY


def thursday_before_easter() -> date:
    """The next one."""
    years = count(_soonest().year)
    return next(day for year in years if (day := easter(year) - 3 * DAY) > _soonest())


def christmas_eve_on_a_thursday() -> date:
    """The next one: Christmas is a Friday, and Boxing Day is kept on the Monday after it."""
    days = (date(year, 12, 24) for year in count(_soonest().year))
    return next(day for day in days if day > _soonest() and day.weekday() == THURSDAY)


def saturday_before_a_bank_holiday() -> date:
    """The next one in August, whose last Monday is a bank holiday."""
    mondays = (date(year, 8, 31 - date(year, 8, 31).weekday()) for year in count(_soonest().year))
    return next(monday - 2 * DAY for monday in mondays if monday - 2 * DAY > _soonest())


def local(day: date, clock: str = "12:00") -> datetime:
    """A wall-clock time of the business on a day, as an aware instant."""
    return datetime.combine(day, time.fromisoformat(clock), ZONE).astimezone(UTC)
