"""R4 and R22: the renewal date, the attempts to collect, and how late a payment may be."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.collection import RenewalDateAfterExpiry, RenewalDateTooEarly, attempts, late_until, renewal_date

EXPIRY = date(2027, 8, 31)


def test_the_renewal_date_is_the_day_after_cancel_by() -> None:
    """R4: expires_on less 14 days by default."""
    assert renewal_date(EXPIRY) == date(2027, 8, 17)


@pytest.mark.parametrize("requested", [date(2027, 8, 17), date(2027, 8, 25), EXPIRY])
def test_an_own_renewal_date_between_cancel_by_and_expiry_is_taken(requested: date) -> None:
    assert renewal_date(EXPIRY, requested) == requested


def test_a_renewal_date_on_which_one_can_still_cancel_is_refused() -> None:
    """R4: it must lie after cancel-by."""
    with pytest.raises(RenewalDateTooEarly, match=r"2027-08-16.*write 2027-08-17 or later"):
        renewal_date(EXPIRY, date(2027, 8, 16))


def test_a_renewal_date_after_expiry_is_refused() -> None:
    """R4: and not after expires_on."""
    with pytest.raises(RenewalDateAfterExpiry, match="write 2027-08-31 or earlier"):
        renewal_date(EXPIRY, date(2027, 9, 1))


def test_settings_that_would_renew_before_the_cut_off_are_refused_too() -> None:
    with pytest.raises(RenewalDateTooEarly):
        renewal_date(EXPIRY, None, notice_days=10, days_before=14)


def test_a_payment_is_tried_on_the_renewal_date_and_five_times_after() -> None:
    """R22: E-12, E-9, E-5, E-2 and E-0, from E-14."""
    days_before = [(EXPIRY - day).days for day in attempts(EXPIRY, renewal_date(EXPIRY))]

    assert days_before == [14, 12, 9, 5, 2, 0]


def test_only_attempts_after_the_renewal_date_are_left() -> None:
    nine_before = date(2027, 8, 22)
    assert attempts(EXPIRY, nine_before) == (nine_before, date(2027, 8, 26), date(2027, 8, 29), EXPIRY)
    assert attempts(EXPIRY, EXPIRY) == (EXPIRY,)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 14))
def test_attempts_go_in_order_from_renewal_date_to_expiry(expires_on: date, days_before: int) -> None:
    renews_on = expires_on - timedelta(days=days_before)
    days = attempts(expires_on, renews_on)

    assert list(days) == sorted(set(days))
    assert (days[0], days[-1]) == (renews_on, expires_on)


def test_a_lapsed_license_is_renewed_late_for_thirty_days() -> None:
    """R22: the workflow stays open for 30 days."""
    assert late_until(EXPIRY) == date(2027, 9, 30)
