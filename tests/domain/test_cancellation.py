"""R2: until when a cancellation stops the coming renewal."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.cancellation import cancel_by, cancel_until


def test_the_cancel_by_date_is_fifteen_days_before_expiry() -> None:
    """R2: expires_on 2027-08-31 gives cancel-by 2027-08-16."""
    assert cancel_by(date(2027, 8, 31)) == date(2027, 8, 16)
    assert cancel_by(date(2028, 3, 10)) == date(2028, 2, 24), "29 February is a day like any other"


def test_the_first_instant_that_is_too_late_is_local_midnight() -> None:
    """R2: 23:59:59.999 local on that date is in time, 00:00:00 the next day is late."""
    assert cancel_until(date(2027, 8, 31)) == datetime(2027, 8, 16, 23, 0, tzinfo=UTC)
    assert cancel_until(date(2027, 1, 31)) == datetime(2027, 1, 17, 0, 0, tzinfo=UTC)
    assert cancel_until(date(2027, 8, 31), zone="America/New_York") == datetime(2027, 8, 17, 4, 0, tzinfo=UTC)
    assert cancel_until(date(2027, 8, 31)).tzinfo is UTC


@given(
    st.dates(date(2020, 1, 1), date(2060, 12, 31)),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]),
    st.integers(0, 60),
)
def test_the_cut_off_is_local_midnight_across_clock_changes_and_leap_days(
    expires_on: date, zone: str, notice_days: int
) -> None:
    """R2: daylight saving changes nothing: the boundary is local midnight."""
    cut_off = cancel_until(expires_on, zone, notice_days).astimezone(ZoneInfo(zone))

    assert cut_off.replace(tzinfo=None) == datetime.combine(
        expires_on - timedelta(days=notice_days - 1), datetime.min.time()
    )
