"""R14: which terms a change of the license is charged for, and when it is not sold at all."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ordering import REASONS, Charged, NotForSale, charged
from domain.term import ONE_DAY, Term, next_term, term_ending

TERM = Term(date(2026, 9, 1), date(2027, 8, 31))
AFTER = Term(date(2027, 9, 1), date(2028, 8, 31))
SOLD_IN = ["active", "cancelled", "updating"]

anchors = st.integers(1, 31)
lengths = st.integers(1, 36)


@st.composite
def anchored(draw: st.DrawFn) -> tuple[Term, int, int]:
    """A term on its anchor, its months and its anchor day."""
    months, anchor_day = draw(lengths), draw(anchors)
    first = term_ending(draw(st.dates(date(2020, 1, 1), date(2060, 12, 31))), months)
    return next_term(first, months, anchor_day), months, anchor_day


def test_an_addon_is_charged_for_the_rest_of_the_term() -> None:
    assert charged(TERM, 12, 31, "active", date(2027, 3, 1)) == Charged(TERM, None)


def test_once_the_renewal_is_settled_it_is_charged_for_the_next_term_too() -> None:
    """R14: while the license is being updated the old term runs on."""
    terms = charged(TERM, 12, 31, "updating", date(2027, 8, 20))

    assert terms == Charged(TERM, AFTER)
    assert terms.through == AFTER


def test_after_an_early_renewal_the_days_of_the_term_before_are_charged_as_well() -> None:
    """A renewal is settled two weeks before the term ends: the row then shows the next one already."""
    terms = charged(AFTER, 12, 31, "active", date(2027, 8, 20))

    assert terms == Charged(TERM, AFTER)


def test_the_term_before_keeps_its_anchor() -> None:
    """R1: the row shows the term to 2028-02-29; the one before it ended on 2027-02-28."""
    term = Term(date(2027, 3, 1), date(2028, 2, 29))

    assert charged(term, 12, 29, "active", date(2027, 2, 20)).term == Term(
        date(2026, 3, 1), date(2027, 2, 28)
    )


def test_a_term_that_was_never_renewed_has_none_before_it_for_longer_than_a_term() -> None:
    with pytest.raises(NotForSale, match="covered from 2026-09-01 on"):
        charged(AFTER, 12, 31, "active", date(2026, 8, 31))


@pytest.mark.parametrize("state", REASONS)
def test_what_is_unpaid_refused_or_over_is_not_added_to(state: str) -> None:
    with pytest.raises(NotForSale, match=REASONS[state]):
        charged(TERM, 12, 31, state, date(2027, 3, 1))


@pytest.mark.parametrize("state", SOLD_IN)
def test_after_the_term_nothing_is_sold(state: str) -> None:
    charged(TERM, 12, 31, state, TERM.expires_on)
    with pytest.raises(NotForSale, match="covered through 2027-08-31"):
        charged(TERM, 12, 31, state, TERM.expires_on + ONE_DAY)


@given(anchored(), st.sampled_from(SOLD_IN), st.data())
def test_the_days_charged_begin_today_and_end_where_the_last_paid_term_ends(
    known: tuple[Term, int, int], state: str, data: st.DataObject
) -> None:
    """No day is charged twice and none is left out, on whichever side of the renewal it is bought."""
    term, months, anchor_day = known
    before = term_ending(term.starts_on - ONE_DAY, months, anchor_day)
    on = data.draw(st.dates(before.starts_on, term.expires_on))

    terms = charged(term, months, anchor_day, state, on)

    assert on in terms.term
    assert terms.through == (
        next_term(term, months, anchor_day) if state == "updating" and on in term else term
    )
    if terms.next_term is not None:
        assert terms.next_term.starts_on == terms.term.expires_on + ONE_DAY
    days = terms.term.days_left(on) + (terms.next_term.days if terms.next_term else 0)
    assert days == (terms.through.expires_on - on).days + 1


@given(anchored(), st.sampled_from([*SOLD_IN, *REASONS]), st.integers(-900, 900))
def test_it_is_sold_or_refused_with_a_sentence_on_any_day(
    known: tuple[Term, int, int], state: str, days: int
) -> None:
    term, months, anchor_day = known
    on = term.expires_on + timedelta(days=days)
    try:
        terms = charged(term, months, anchor_day, state, on)
    except NotForSale as no:
        terms, sentence = None, str(no)

    assert (on in terms.term) if terms is not None else (" " in sentence)
