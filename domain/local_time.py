"""Where the business's local days begin and end, as instants in UTC, and how a day is written for a reader.

Not a clock: every day and instant is an argument. Time zones come from ``zoneinfo`` by their IANA name.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(eq=False)
class UnknownZone(ValueError):
    """The name is not an IANA time zone."""

    zone: str

    def __str__(self) -> str:
        return f"unknown time zone {self.zone!r}: write an IANA name like 'Europe/London'"


@dataclass(eq=False)
class NaiveInstant(ValueError):
    """An instant came without a time zone, so nobody can say when it was."""

    instant: datetime

    def __str__(self) -> str:
        return f"the instant {self.instant.isoformat()} has no time zone: pass an aware datetime, best in UTC"


def zone_info(zone: str) -> ZoneInfo:
    """Find the time zone by its IANA name; raises ``UnknownZone``."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # not found, not a name, a folder such as 'Europe'
        raise UnknownZone(zone) from None


def local_instant(day: date, at: time, zone: str) -> datetime:
    """Turn a local day and wall-clock time into an aware UTC instant.

    A time that the clocks skip counts on from before the gap (01:30 becomes 02:30 new time); one that they
    repeat is the first of the two. So a skipped midnight is the very first instant of its day.
    """
    return datetime.combine(day, at.replace(fold=0), tzinfo=zone_info(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """Find the first instant, aware UTC, that no longer belongs to the local day: the next local midnight."""
    return local_instant(day + timedelta(days=1), time(0), zone)


def local_date(instant: datetime, zone: str) -> date:
    """Tell the local day of an aware instant; raises ``NaiveInstant``."""
    return require_aware(instant).astimezone(zone_info(zone)).date()


def require_aware(instant: datetime) -> datetime:
    """Hand the instant back if it has a time zone; raises ``NaiveInstant`` if not."""
    if instant.utcoffset() is None:
        raise NaiveInstant(instant)
    return instant


def in_words(day: date) -> str:
    """Write a day for a reader: ``31 August 2027``, which no country reads the wrong way round."""
    return f"{day.day} {day:%B} {day.year}"
