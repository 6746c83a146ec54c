"""The working days of the business (R5): Monday to Friday less bank holidays, and the promise time they give.

Not a general calendar: weekends are Saturday and Sunday wherever the business is. The only file that asks
``holidays``.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import holidays

from domain.local_time import local_date, local_instant, require_aware, zone_info
from domain.term import ONE_DAY

WARNED_DAYS_AHEAD = 60
"""So many days before the data of bank holidays ends it is time to renew it: promises look days ahead, not months."""


@dataclass(eq=False)
class UnknownCalendar(ValueError):
    """No bank holidays are known for the country or its subdivision."""

    country: str
    subdivision: str | None

    def __str__(self) -> str:
        return (
            f"no bank holidays known for country {self.country!r}, subdivision {self.subdivision!r}: "
            "write an ISO 3166 country like 'GB' and one of its subdivisions like 'ENG', or no subdivision"
        )


@dataclass(eq=False)
class WorkingDayIsEmpty(ValueError):
    """The working day ends before it starts."""

    day_starts: time
    day_ends: time

    def __str__(self) -> str:
        return f"a working day cannot start at {self.day_starts} and end no later, at {self.day_ends}"


@dataclass(eq=False)
class NegativeHours(ValueError):
    """Hours before an instant cannot be negative."""

    hours: int

    def __str__(self) -> str:
        return f"cannot look {self.hours} working hours back: write 0 or more"


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The calendar of one place; ``extra_holidays`` are days announced after the ``holidays`` data was made.

    Raises ``UnknownCalendar``, ``UnknownZone`` or ``WorkingDayIsEmpty`` when made from settings that cannot
    be.
    """

    country: str = "GB"
    subdivision: str | None = "ENG"
    zone: str = "Europe/London"
    day_ends: time = time(17, 30)
    extra_holidays: frozenset[date] = frozenset()
    day_starts: time = time(9, 0)

    def __post_init__(self) -> None:
        zone_info(self.zone)
        if self.day_ends <= self.day_starts:
            raise WorkingDayIsEmpty(self.day_starts, self.day_ends)
        _calendar(self.country, self.subdivision)

    @property
    def data_ends_on(self) -> date:
        """The last day the ``holidays`` data covers; later, only weekends and ``extra_holidays`` are known.

        One-off days are announced late, so data that covers a year need not have all of its holidays.
        """
        return date(_calendar(self.country, self.subdivision).end_year, 12, 31)

    def warning(self, today: date) -> str | None:
        """Say that the ``holidays`` data ends within 60 days of the local day, or has ended; nothing if it does not."""
        if self.data_ends_on - today > timedelta(days=WARNED_DAYS_AHEAD):
            return None
        return (
            f"the bank holidays of {self.country} are known to {self.data_ends_on} only: update the package "
            "`holidays`, or list those after it as extra holidays, else promises are made for closed days"
        )

    def is_working_day(self, day: date) -> bool:
        """Tell whether the local day is Monday to Friday and no holiday (R5)."""
        if day.weekday() >= 5 or day in self.extra_holidays:
            return False
        return day not in _bank_holidays(self.country, self.subdivision, day.year)

    def next_working_day(self, day: date) -> date:
        """Find the first working day strictly after the local day (R5)."""
        day += ONE_DAY
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def promise_time(self, paid_at: datetime) -> datetime:
        """Tell by when a license must be updated, aware UTC (R5): the end of the next working day.

        Next means strictly after the local date of ``paid_at``, which must be aware: raises ``NaiveInstant``.
        """
        promised_on = self.next_working_day(local_date(paid_at, self.zone))
        return local_instant(promised_on, self.day_ends, self.zone)

    def working_hours_before(self, instant: datetime, hours: int) -> datetime:
        """Find the instant, aware UTC, from which ``hours`` working hours remain until ``instant`` (R23).

        Counts only ``day_starts`` to ``day_ends`` of working days. Raises ``NaiveInstant``,
        ``NegativeHours``.
        """
        if hours < 0:
            raise NegativeHours(hours)
        day = local_date(instant, self.zone)
        until = require_aware(instant).astimezone(UTC)
        remaining = timedelta(hours=hours)
        while remaining:
            if self.is_working_day(day):
                opens = local_instant(day, self.day_starts, self.zone)
                worked_until = min(until, local_instant(day, self.day_ends, self.zone))
                worked = max(worked_until - opens, timedelta())
                if worked >= remaining:
                    return worked_until - remaining
                remaining -= worked
            day -= ONE_DAY
        return until


def _calendar(country: str, subdivision: str | None) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country, subdiv=subdivision, expand=False)
    except NotImplementedError:
        raise UnknownCalendar(country, subdivision) from None


@lru_cache(maxsize=256)  # a value of ours, because the library's own dict fills while it is asked
def _bank_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False))
