"""R5: Monday to Friday less bank holidays; licenses are updated by the end of the next working day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.local_time import NaiveInstant, UnknownZone
from domain.working_days import NegativeHours, UnknownCalendar, WorkingDayIsEmpty, WorkingDays

LONDON = ZoneInfo("Europe/London")
ENGLAND = WorkingDays()

instants = st.integers(0, 15 * 366 * 24 * 60).map(
    lambda n: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
)


@pytest.mark.parametrize(
    ("paid", "promised"),
    [
        (
            "2026-12-24 10:00",
            "2026-12-29 17:30",
        ),  # R5's example: Christmas, Boxing Day observed on the Monday
        ("2027-06-05 10:00", "2027-06-07 17:30"),  # a Saturday
        ("2027-05-29 10:00", "2027-06-01 17:30"),  # a Saturday before a bank holiday
        ("2027-06-08 00:00", "2027-06-09 17:30"),  # the first instant of a Tuesday
        ("2027-06-08 23:59", "2027-06-09 17:30"),  # the last minute of it, already Wednesday nowhere
        ("2027-03-26 12:00", "2027-03-30 17:30"),  # Good Friday; clocks forward on Sunday; Easter Monday
        ("2027-12-24 09:00", "2027-12-29 17:30"),  # Christmas on a Saturday: Monday and Tuesday off
    ],
)
def test_the_promise_time_is_the_end_of_the_next_working_day(paid: str, promised: str) -> None:
    """R5: end of the next working day strictly after the local date of payment."""
    promise = ENGLAND.promise_time(datetime.fromisoformat(paid).replace(tzinfo=LONDON))

    assert promise == datetime.fromisoformat(promised).replace(tzinfo=LONDON)
    assert promise.tzinfo is UTC


def test_the_local_date_of_payment_counts_not_the_date_in_utc() -> None:
    """23:30 UTC on a Monday in summer is Tuesday in London."""
    paid_at = datetime(2027, 6, 7, 23, 30, tzinfo=UTC)

    assert ENGLAND.promise_time(paid_at) == datetime(2027, 6, 9, 16, 30, tzinfo=UTC)


def test_a_payment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(NaiveInstant):
        ENGLAND.promise_time(datetime(2026, 12, 24, 10))  # noqa: DTZ001 - that is what is refused


def test_a_holiday_announced_late_can_be_set() -> None:
    """Setting: one-off days are announced after the data was made."""
    crowned = WorkingDays(extra_holidays=frozenset({date(2027, 6, 9)}))

    assert ENGLAND.is_working_day(date(2027, 6, 9))
    assert not crowned.is_working_day(date(2027, 6, 9))
    assert crowned.next_working_day(date(2027, 6, 8)) == date(2027, 6, 10)


def test_holidays_are_those_of_the_subdivision() -> None:
    assert ENGLAND.is_working_day(date(2026, 11, 30))
    assert not WorkingDays(subdivision="SCT").is_working_day(date(2026, 11, 30)), "Saint Andrew's Day"


def test_a_country_without_subdivisions_has_holidays_too() -> None:
    ireland = WorkingDays(country="IE", subdivision=None, zone="Europe/Dublin")

    assert not ireland.is_working_day(date(2027, 3, 17))


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_the_next_working_day_is_the_first_one_after(day: date) -> None:
    found = ENGLAND.next_working_day(day)

    assert ENGLAND.is_working_day(found)
    assert not any(ENGLAND.is_working_day(day + timedelta(n)) for n in range(1, (found - day).days))


@given(instants, instants)
def test_paying_later_is_never_promised_earlier(one: datetime, other: datetime) -> None:
    assert ENGLAND.promise_time(min(one, other)) <= ENGLAND.promise_time(max(one, other))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0, "2026-12-29 17:30"),
        (2, "2026-12-29 15:30"),
        (8, "2026-12-29 09:30"),
        (9, "2026-12-24 17:00"),  # half an hour of it on Christmas Eve
        (17, "2026-12-24 09:00"),
        (18, "2026-12-23 16:30"),
    ],
)
def test_working_hours_before_a_promise_skip_nights_and_holidays(hours: int, expected: str) -> None:
    promise = datetime(2026, 12, 29, 17, 30, tzinfo=UTC)

    found = ENGLAND.working_hours_before(promise, hours)

    assert found == datetime.fromisoformat(expected).replace(tzinfo=LONDON)
    assert found.tzinfo is UTC


@given(instants, st.integers(1, 40))
def test_as_many_working_hours_lie_between_as_were_asked_for(instant: datetime, hours: int) -> None:
    found = ENGLAND.working_hours_before(instant, hours)

    assert working_time(found, instant) == timedelta(hours=hours)


def working_time(start: datetime, end: datetime) -> timedelta:
    """Count the working time day by day, the slow and obvious way."""
    total, day = timedelta(), start.astimezone(LONDON).date()
    while day <= end.astimezone(LONDON).date():
        if ENGLAND.is_working_day(day):
            opens = datetime.combine(day, time(9), LONDON).astimezone(UTC)
            closes = datetime.combine(day, time(17, 30), LONDON).astimezone(UTC)
            total += max(min(end, closes) - max(start, opens), timedelta())
        day += timedelta(days=1)
    return total


def test_negative_hours_are_refused() -> None:
    with pytest.raises(NegativeHours):
        ENGLAND.working_hours_before(datetime(2026, 12, 29, tzinfo=UTC), -1)


def test_settings_that_cannot_be_are_refused_at_once() -> None:
    with pytest.raises(UnknownCalendar, match="'XX'"):
        WorkingDays(country="XX")
    with pytest.raises(UnknownCalendar, match="'ENG'"):
        WorkingDays(country="FR")
    with pytest.raises(UnknownZone):
        WorkingDays(zone="Europe/Londn")
    with pytest.raises(WorkingDayIsEmpty):
        WorkingDays(day_ends=time(9, 0))


def test_the_last_day_of_the_holiday_data_can_be_told() -> None:
    assert ENGLAND.data_ends_on >= date(2040, 12, 31)


def test_R5_when_the_holiday_data_is_about_to_end_it_is_said_sixty_days_before() -> None:
    ends_on = ENGLAND.data_ends_on

    assert ENGLAND.warning(ends_on - timedelta(days=61)) is None
    for today in (ends_on - timedelta(days=60), ends_on, ends_on + timedelta(days=1)):
        assert f"known to {ends_on} only" in (ENGLAND.warning(today) or "")
