"""R7 to R10: what becomes of a cancellation in time, of one that is late, and of a resumption."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cancellation import cancel_until
from domain.decisions import (
    Decision,
    Outcome,
    Renewed,
    Renewing,
    TermOver,
    decide_cancel,
    decide_resume,
)
from domain.local_time import NaiveInstant
from domain.milestones import milestones
from domain.term import Term, next_term

LONDON = ZoneInfo("Europe/London")
TERM = Term(date(2026, 9, 1), date(2027, 8, 31))
PLAN = milestones(TERM, date(2027, 8, 17))
NEXT_EXPIRY = date(2028, 8, 31)
RENEWS_AT = datetime(2027, 8, 17, 9, tzinfo=LONDON)
IN_TIME = datetime(2027, 8, 16, 23, 59, 59, 999999, tzinfo=LONDON)
LATE = datetime(2027, 8, 17, 0, 0, tzinfo=LONDON)

STANDING = Renewing()
CANCELLED = Renewing(auto_renew=False)
LAST_RENEWAL = Renewing(ends_after_next=True)


def cancel(wish: Renewing, at: datetime, settled: bool = False) -> Decision:
    return decide_cancel(wish, PLAN, TERM, NEXT_EXPIRY, at, renewal_settled=settled)


def resume(wish: Renewing, at: datetime, settled: bool = False) -> Decision:
    return decide_resume(wish, PLAN, TERM, NEXT_EXPIRY, at, renewal_settled=settled)


def test_a_cancellation_in_time_ends_the_subscription_at_expiry() -> None:
    """R7: auto-renewal off, the license runs to expires_on."""
    decision = cancel(STANDING, IN_TIME)

    assert decision.outcome is Outcome.ACCEPTED
    assert decision.wish == CANCELLED
    assert decision.effective_on == date(2027, 8, 31)
    assert decision.cancel_by == date(2027, 8, 16)
    assert decision.received_at == IN_TIME
    assert "31 August 2027" in decision.sentence


def test_a_late_cancellation_is_kept_for_the_next_expiry() -> None:
    """R8: this renewal goes ahead; the answer says so, with both dates."""
    decision = cancel(STANDING, LATE)

    assert decision.outcome is Outcome.DEFERRED
    assert decision.wish == LAST_RENEWAL
    assert decision.effective_on == NEXT_EXPIRY
    assert decision.cancel_by == date(2027, 8, 16)
    for day in ("31 August 2027", "16 August 2027", "31 August 2028"):
        assert day in decision.sentence
    assert "goes ahead" in decision.sentence


def test_the_answer_says_whether_the_renewal_goes_has_gone_or_may_go_ahead() -> None:
    assert "this renewal has gone ahead" in cancel(STANDING, LATE, settled=True).sentence
    assert "this renewal goes ahead." in cancel(STANDING, LATE).sentence
    assert "goes ahead only if paid late" in cancel(STANDING, datetime(2027, 9, 2, tzinfo=LONDON)).sentence


def test_a_late_wish_becomes_a_cancelled_next_term() -> None:
    """R8: the wish ends the subscription at the next expiry."""
    assert cancel(STANDING, LATE).wish.in_the_next_term() == CANCELLED
    assert STANDING.in_the_next_term() == STANDING


def test_a_cancellation_in_time_counts_even_if_handled_after_the_renewal_was_settled() -> None:
    """R3: a worker that was down over the cut-off still honours what arrived before it."""
    decision = cancel(STANDING, IN_TIME, settled=True)

    assert decision.outcome is Outcome.ACCEPTED
    assert decision.effective_on == date(2027, 8, 31)
    assert "given back" in decision.sentence


@pytest.mark.parametrize("first_at", [IN_TIME, LATE])
@pytest.mark.parametrize("settled", [False, True])
def test_a_second_cancellation_changes_nothing_and_names_the_same_dates(
    first_at: datetime, settled: bool
) -> None:
    """R10: repeats change nothing."""
    first = cancel(STANDING, first_at)
    second = cancel(first.wish, LATE + timedelta(days=1), settled=settled and first_at is LATE)

    assert second.outcome is Outcome.NO_CHANGE
    assert second.wish == first.wish
    assert (second.effective_on, second.cancel_by) == (first.effective_on, first.cancel_by)


def test_a_cancellation_after_the_renewal_was_done_is_late_until_the_old_term_has_ended() -> None:
    """R8: received between the renewal and the old expiry it is about that renewal; later about the next one."""
    after = Term(date(2027, 9, 1), NEXT_EXPIRY)
    plan = milestones(after, date(2028, 8, 17))
    renewed = Renewed(TERM.expires_on, PLAN.cancel_by, PLAN.term_ends_at)
    last_moment = datetime(2027, 8, 31, 23, 59, 59, tzinfo=LONDON)

    late = decide_cancel(STANDING, plan, after, date(2029, 8, 31), last_moment, False, renewed)
    again = decide_cancel(late.wish, plan, after, date(2029, 8, 31), last_moment, False, renewed)
    in_time = decide_cancel(STANDING, plan, after, date(2029, 8, 31), PLAN.term_ends_at, False, renewed)

    assert late.outcome is Outcome.DEFERRED
    assert late.wish == CANCELLED
    assert (late.cancel_by, late.effective_on) == (date(2027, 8, 16), NEXT_EXPIRY)
    for day in ("31 August 2027", "16 August 2027", "31 August 2028"):
        assert day in late.sentence
    assert (again.outcome, again.cancel_by, again.effective_on) == (
        Outcome.NO_CHANGE,
        late.cancel_by,
        late.effective_on,
    )
    assert in_time.outcome is Outcome.ACCEPTED


def test_resuming_before_the_renewal_date_renews_as_planned() -> None:
    """R9: any time before expires_on ends."""
    decision = resume(CANCELLED, IN_TIME)

    assert decision.outcome is Outcome.ACCEPTED
    assert decision.wish == STANDING
    assert decision.effective_on == date(2027, 8, 31)
    assert "The renewal date is 17 August 2027." in decision.sentence


def test_resuming_after_the_renewal_date_renews_at_once() -> None:
    """R9: if the renewal date has passed, the renewal starts at once."""
    last_moment = datetime(2027, 8, 31, 23, 59, 59, tzinfo=LONDON)

    assert "starts at once" in resume(CANCELLED, RENEWS_AT).sentence
    assert "starts at once" in resume(CANCELLED, last_moment).sentence
    assert "starts at once" not in resume(CANCELLED, last_moment, settled=True).sentence
    assert "starts at once" not in resume(CANCELLED, RENEWS_AT - timedelta(minutes=1)).sentence


@pytest.mark.parametrize("settled", [False, True])
def test_resuming_takes_back_a_late_cancellation(settled: bool) -> None:
    decision = resume(LAST_RENEWAL, RENEWS_AT + timedelta(days=1), settled)

    assert decision.outcome is Outcome.ACCEPTED
    assert decision.wish == STANDING
    assert decision.effective_on == NEXT_EXPIRY
    assert "31 August 2028" in decision.sentence


@pytest.mark.parametrize(("settled", "effective_on"), [(False, date(2027, 8, 31)), (True, NEXT_EXPIRY)])
def test_resuming_what_is_renewed_anyway_changes_nothing(settled: bool, effective_on: date) -> None:
    """R10: answers with the expiry that is renewed."""
    decision = resume(STANDING, LATE, settled)

    assert decision.outcome is Outcome.NO_CHANGE
    assert decision.wish == STANDING
    assert decision.effective_on == effective_on


@pytest.mark.parametrize("wish", [STANDING, CANCELLED, LAST_RENEWAL])
def test_resuming_after_the_term_has_ended_is_refused(wish: Renewing) -> None:
    """R9: before expires_on ends, and no later."""
    with pytest.raises(TermOver, match="31 August 2027"):
        resume(wish, datetime(2027, 9, 1, tzinfo=LONDON))


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2027, 8, 1)  # noqa: DTZ001 - that is what is refused
    with pytest.raises(NaiveInstant):
        cancel(STANDING, naive)
    with pytest.raises(NaiveInstant):
        resume(STANDING, naive)


wishes = st.builds(Renewing, auto_renew=st.booleans(), ends_after_next=st.booleans())
received = st.integers(0, 400 * 24 * 60).map(
    lambda n: datetime(2026, 9, 1, tzinfo=UTC) + timedelta(minutes=n)
)


@given(wishes, received, st.booleans())
def test_every_cancellation_has_an_answer_and_deciding_it_again_changes_nothing(
    wish: Renewing, received_at: datetime, settled: bool
) -> None:
    """R10, for every standing wish and every instant: the decision is total and idempotent."""
    first = cancel(wish, received_at, settled)
    again = cancel(first.wish, received_at, settled)

    assert first.effective_on in (TERM.expires_on, NEXT_EXPIRY)
    assert (again.outcome, again.wish, again.effective_on) == (
        Outcome.NO_CHANGE,
        first.wish,
        first.effective_on,
    )


@given(st.dates(date(2020, 1, 1), date(2060, 12, 31)), st.integers(-5, 5))
def test_in_time_and_late_meet_at_the_cut_off_whatever_the_term(expires_on: date, seconds: int) -> None:
    """R2: received before the boundary is accepted, at it or after it deferred."""
    term = Term(expires_on - timedelta(days=364), expires_on)
    at = cancel_until(expires_on) + timedelta(seconds=seconds)

    plan = milestones(term, expires_on - timedelta(days=14))
    decision = decide_cancel(STANDING, plan, term, next_term(term).expires_on, at, renewal_settled=False)

    assert decision.outcome is (Outcome.ACCEPTED if seconds < 0 else Outcome.DEFERRED)
