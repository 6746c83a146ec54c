"""All instants of a term: R2, R4, R6 and R22 on one line of time."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.collection import RenewalDateTooEarly
from domain.milestones import Milestones, Policy, milestones
from domain.term import Term, term_ending

LONDON = ZoneInfo("Europe/London")
TERM = term_ending(date(2027, 8, 31))


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def test_the_milestones_of_a_term_that_expires_on_31_august_2027() -> None:
    assert milestones(TERM, date(2027, 8, 17)) == Milestones(
        reminders=(
            (60, london("2027-07-02 09:00")),
            (30, london("2027-08-01 09:00")),
            (16, london("2027-08-15 09:00")),
        ),
        cancel_by=date(2027, 8, 16),
        cancel_until=london("2027-08-17 00:00"),
        renews_on=date(2027, 8, 17),
        renews_at=london("2027-08-17 09:00"),
        attempts=tuple(london(f"2027-08-{day} 09:00") for day in ("19", "22", "26", "29", "31")),
        term_ends_at=london("2027-09-01 00:00"),
        late_until_at=london("2027-10-01 00:00"),
    )


def test_local_nine_o_clock_stays_nine_o_clock_when_the_clocks_change() -> None:
    """R4: 09:00 local. Expiry 2027-04-05: some milestones before the clocks go forward, some after."""
    plan = milestones(term_ending(date(2027, 4, 5)), date(2027, 3, 22))

    assert plan.renews_at == datetime(2027, 3, 22, 9, tzinfo=UTC)
    assert [at.hour for at in plan.attempts] == [9, 9, 8, 8, 8]


def test_a_late_renewal_date_leaves_only_the_attempts_after_it() -> None:
    plan = milestones(TERM, TERM.expires_on)

    assert plan.attempts == ()
    assert plan.renews_at == london("2027-08-31 09:00")


def test_reminders_that_a_short_term_has_no_room_for_are_left_out() -> None:
    plan = milestones(Term(date(2027, 8, 1), date(2027, 8, 31)), date(2027, 8, 17))

    assert [days for days, _ in plan.reminders] == [30, 16]


def test_reminders_come_earliest_first_and_once_however_they_are_set() -> None:
    plan = milestones(TERM, date(2027, 8, 17), reminder_days=(16, 60, 16))

    assert [days for days, _ in plan.reminders] == [60, 16]


def test_a_policy_plans_a_term_by_its_own_days() -> None:
    policy = Policy(zone="Asia/Tokyo", notice_days=20, renew_days_before=10, at=time(8, 30))

    plan = policy.milestones(TERM)

    assert plan.cancel_by == date(2027, 8, 11)
    assert plan.renews_at == datetime(2027, 8, 20, 23, 30, tzinfo=UTC)
    assert Policy().milestones(TERM) == milestones(TERM, date(2027, 8, 17))
    assert Policy().milestones(TERM, requested=date(2027, 8, 25)) == milestones(TERM, date(2027, 8, 25))


def test_a_policy_refuses_a_renewal_date_before_the_cut_off() -> None:
    """R4: it must lie after cancel-by."""
    with pytest.raises(RenewalDateTooEarly):
        Policy().milestones(TERM, requested=date(2027, 8, 16))


@given(
    st.dates(date(2020, 1, 1), date(2060, 12, 31)),
    st.sampled_from(["Europe/London", "America/New_York", "America/Santiago", "Asia/Tokyo"]),
    st.integers(0, 14),
)
def test_milestones_follow_each_other_in_utc(expires_on: date, zone: str, days_before: int) -> None:
    """R2, R4, R6, R22: remind, last chance to cancel, renew, collect, end, too late."""
    plan = milestones(term_ending(expires_on), expires_on - timedelta(days=days_before), zone)
    line = [at for _, at in plan.reminders] + [plan.cancel_until, plan.renews_at, *plan.attempts]
    line += [plan.term_ends_at, plan.late_until_at]

    assert line == sorted(set(line))
    assert all(at.tzinfo is UTC for at in line)


def test_without_a_spread_all_of_a_day_is_due_at_nine() -> None:
    assert Policy().milestones(TERM, whose="sub_1") == Policy().milestones(TERM, whose="sub_2")


def test_the_renewals_of_one_day_are_spread_over_it_evenly() -> None:
    """R4: of a thousand, every hour of the five has its share."""
    policy = Policy(spread_minutes=300)
    hours = [policy.milestones(TERM, whose=f"sub_{n}").renews_at.astimezone(LONDON).hour for n in range(1000)]

    assert set(hours) == {9, 10, 11, 12, 13}
    assert all(150 < hours.count(hour) < 250 for hour in set(hours))


@given(
    whose=st.text(max_size=40),
    minutes=st.integers(0, 2000),
    expires_on=st.dates(date(2027, 1, 1), date(2040, 1, 1)),
)
def test_a_spread_plan_keeps_its_time_of_day_and_its_days(whose: str, minutes: int, expires_on: date) -> None:
    """The same offset in every term, whatever the clocks do, and on the very day that R4 and R22 name."""
    term, next_term = term_ending(expires_on), term_ending(expires_on + timedelta(days=365))
    policy = Policy(spread_minutes=minutes)
    plan, plain = policy.milestones(term, whose=whose), Policy().milestones(term)
    local = [
        at.astimezone(LONDON) for at in (plan.renews_at, *plan.attempts, *(at for _, at in plan.reminders))
    ]

    assert (
        len(
            {
                at.time()
                for at in (*local, policy.milestones(next_term, whose=whose).renews_at.astimezone(LONDON))
            }
        )
        == 1
    )
    assert plan.renews_at.astimezone(LONDON).date() == plan.renews_on == plain.renews_on
    assert plain.renews_at <= plan.renews_at < plan.renews_at.astimezone(LONDON).replace(hour=23, minute=31)
    assert (plan.cancel_by, plan.cancel_until, plan.term_ends_at) == (
        plain.cancel_by,
        plain.cancel_until,
        plain.term_ends_at,
    )
