"""Local days as instants: clocks go forward, go back and skip a midnight, and days still tile the time."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import local_time

ZONES = ["Europe/London", "America/New_York", "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe"]


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(ZONES))
def test_a_day_ends_where_the_next_begins(day: date, zone: str) -> None:
    end = local_time.end_of(day, zone)

    assert end.tzinfo is UTC
    assert local_time.local_date(end, zone) == day + timedelta(days=1)
    assert local_time.local_date(end - timedelta(microseconds=1), zone) == day


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (date(2027, 1, 15), time(9), datetime(2027, 1, 15, 9, tzinfo=UTC)),
        (date(2027, 7, 15), time(9), datetime(2027, 7, 15, 8, tzinfo=UTC)),
        (date(2027, 3, 28), time(1, 30), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # skipped: 02:30 new time
        (date(2027, 10, 31), time(1, 30), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # twice: the first
        (date(2027, 10, 31), time(1, 30, fold=1), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_one_instant_even_when_clocks_change(day: date, at: time, expected: datetime) -> None:
    assert local_time.local_instant(day, at, "Europe/London") == expected


def test_a_midnight_that_the_clocks_skip_is_the_first_instant_of_its_day() -> None:
    """In Santiago 2026-09-06 begins at 01:00."""
    end = local_time.end_of(date(2026, 9, 5), "America/Santiago")

    assert end == datetime(2026, 9, 6, 4, tzinfo=UTC)


def test_a_day_that_a_country_skipped_has_no_length() -> None:
    """Samoa went from 2011-12-29 straight to 2011-12-31."""
    before, skipped = (local_time.end_of(date(2011, 12, day), "Pacific/Apia") for day in (29, 30))

    assert before == skipped


@pytest.mark.parametrize("zone", ["Europe/Londn", "", "../etc/passwd", "/etc/passwd", "Europe", "BST\0"])
def test_an_unknown_zone_is_refused_by_name(zone: str) -> None:
    with pytest.raises(local_time.UnknownZone, match="IANA"):
        local_time.end_of(date(2027, 1, 1), zone)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(local_time.NaiveInstant):
        local_time.local_date(datetime(2027, 1, 1, 12), "Europe/London")  # noqa: DTZ001 - that is what is refused


def test_a_day_is_written_in_words() -> None:
    assert local_time.in_words(date(2027, 8, 31)) == "31 August 2027"
