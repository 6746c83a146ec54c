"""R1: terms are whole months of inclusive dates, one after the other, and never drift."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.term import NoSuchAnchor, NotWholeMonths, Term, TermEndsBeforeItStarts, next_term, term_ending

expiries = st.dates(date(2000, 1, 1), date(2099, 12, 31))
lengths = st.integers(1, 36)


def test_a_term_runs_from_the_day_after_the_expiry_before() -> None:
    assert term_ending(date(2027, 8, 31)) == Term(date(2026, 9, 1), date(2027, 8, 31))


def test_a_terms_days_include_both_ends() -> None:
    assert Term(date(2026, 9, 1), date(2027, 8, 31)).days == 365
    assert Term(date(2027, 9, 1), date(2028, 8, 31)).days == 366
    assert Term(date(2027, 8, 31), date(2027, 8, 31)).days == 1


def test_the_next_term_starts_the_day_after_expiry() -> None:
    assert next_term(term_ending(date(2027, 8, 31))) == Term(date(2027, 9, 1), date(2028, 8, 31))


def test_an_anchor_on_29_february_never_drifts() -> None:
    """R1: anchor 29 Feb gives 2029-02-28, 2030-02-28, 2031-02-28, 2032-02-29."""
    term = term_ending(date(2028, 2, 29))
    chain = []
    for _ in range(4):
        term = next_term(term, anchor_day=29)
        chain.append(term.expires_on)

    assert chain == [date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)]


def test_a_term_that_ends_on_a_clamped_anchor_starts_after_the_anchored_end_before() -> None:
    assert term_ending(date(2029, 2, 28), anchor_day=29) == Term(date(2028, 3, 1), date(2029, 2, 28))
    assert term_ending(date(2028, 2, 29)) == Term(date(2027, 3, 1), date(2028, 2, 29))


def test_without_an_anchor_the_day_of_the_expiry_is_kept() -> None:
    assert next_term(term_ending(date(2027, 2, 28))).expires_on == date(2028, 2, 28)


def test_monthly_terms_keep_the_end_of_the_month() -> None:
    term = term_ending(date(2027, 1, 31), months=1)
    ends = []
    for _ in range(4):
        term = next_term(term, months=1, anchor_day=31)
        ends.append(term.expires_on)

    assert ends == [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30), date(2027, 5, 31)]


@given(expiries, lengths)
def test_a_chain_of_terms_tiles_the_calendar_and_never_drifts(expires_on: date, months: int) -> None:
    """R1: the next term starts the day after; its end is the anchor day clamped to the month."""
    anchor = expires_on.day
    chain = [term_ending(expires_on, months, anchor)]
    for _ in range(12):
        chain.append(next_term(chain[-1], months, anchor))

    for earlier, later in pairwise(chain):
        assert later.starts_on == earlier.expires_on + timedelta(days=1)
    for number, term in enumerate(chain):
        end = term.expires_on
        assert end.year * 12 + end.month == expires_on.year * 12 + expires_on.month + number * months
        assert end.day == min(anchor, monthrange(end.year, end.month)[1])
    whole = Term(chain[0].starts_on, chain[-1].expires_on)
    assert sum(term.days for term in chain) == whole.days


@given(expiries, lengths)
def test_looking_back_from_a_terms_end_finds_the_same_term(expires_on: date, months: int) -> None:
    following = next_term(term_ending(expires_on, months), months)

    assert term_ending(following.expires_on, months, expires_on.day) == following


def test_a_day_is_in_a_term_through_its_expiry() -> None:
    term = Term(date(2026, 9, 1), date(2027, 8, 31))

    assert date(2026, 9, 1) in term
    assert date(2027, 8, 31) in term
    assert date(2026, 8, 31) not in term
    assert date(2027, 9, 1) not in term


def test_dates_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(TermEndsBeforeItStarts, match="2026-08-31"):
        Term(date(2026, 9, 1), date(2026, 8, 31))


@pytest.mark.parametrize("anchor", [0, 32, -1])
def test_an_anchor_that_is_no_day_of_a_month_is_refused(anchor: int) -> None:
    with pytest.raises(NoSuchAnchor):
        next_term(term_ending(date(2027, 8, 31)), anchor_day=anchor)


@pytest.mark.parametrize("months", [0, -12])
def test_a_term_lasts_at_least_a_month(months: int) -> None:
    with pytest.raises(NotWholeMonths):
        term_ending(date(2027, 8, 31), months)
    with pytest.raises(NotWholeMonths):
        next_term(term_ending(date(2027, 8, 31)), months)
