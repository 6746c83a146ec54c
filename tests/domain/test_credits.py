"""R18: which grants pay, in a total order, to the penny."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.credits import Grant, GrantOutOfBounds, GrantTwice, NegativeAmount, Use, allocate, order_of_use

TODAY = date(2027, 8, 17)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def order(*grants: Grant) -> list[object]:
    return [use.grant_id for use in allocate(grants, 10**9, TODAY)]


def test_a_grant_of_lower_priority_number_is_used_first() -> None:
    assert order(Grant("b", "promotional", 1), Grant("a", "purchase", 1, priority=49)) == ["a", "b"]


def test_at_one_priority_the_earliest_expiry_is_used_first_and_none_last() -> None:
    never = Grant("never", "promotional", 1)
    soon = Grant("soon", "purchase", 1, expires_on=date(2027, 9, 1))
    later = Grant("later", "promotional", 1, expires_on=date(2028, 9, 1))

    assert order(never, later, soon) == ["soon", "later", "never"]


def test_then_promotional_credit_goes_before_purchased() -> None:
    assert order(Grant("a", "purchase", 1), Grant("b", "promotional", 1)) == ["b", "a"]


def test_then_the_oldest_goes_first_and_at_last_the_id_decides() -> None:
    newer = Grant("a", "purchase", 1, created_at=FIRST + timedelta(days=1))
    older_c = Grant("c", "purchase", 1, created_at=FIRST)
    older_b = Grant("b", "purchase", 1, created_at=FIRST)

    assert order(newer, older_c, older_b) == ["b", "c", "a"]


def test_a_grant_is_usable_through_the_end_of_its_expiry_date() -> None:
    grant = Grant("a", "promotional", 500, expires_on=TODAY)

    assert allocate([grant], 100, TODAY) == [Use("a", 100)]
    assert allocate([grant], 100, TODAY + timedelta(days=1)) == []


def test_the_last_grant_is_used_in_part_and_the_rest_stays() -> None:
    grants = [Grant("a", "promotional", 2000), Grant("b", "purchase", 20000)]

    assert allocate(grants, 18000, TODAY) == [Use("a", 2000), Use("b", 16000)]


def test_using_stops_at_what_there_is() -> None:
    assert allocate([Grant("a", "purchase", 500)], 18000, TODAY) == [Use("a", 500)]


def test_the_paid_renewal_of_the_transition_leaves_the_discount_on_the_account() -> None:
    """R19: paid £200.00, rate 10 %: £180.00 used, £20.00 left."""
    [use] = allocate([Grant("paid", "purchase", 20000)], 18000, TODAY)

    assert use == Use("paid", 18000)


def test_nothing_to_pay_and_empty_grants_make_no_entries() -> None:
    """R18: one entry per grant touched, and none for one that is not."""
    assert allocate([Grant("a", "purchase", 500)], 0, TODAY) == []
    assert allocate([Grant("a", "promotional", 0), Grant("b", "purchase", 5)], 5, TODAY) == [Use("b", 5)]
    assert allocate([], 5, TODAY) == []


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(NegativeAmount):
        allocate([], -1, TODAY)


def test_a_grant_that_comes_twice_is_refused() -> None:
    with pytest.raises(GrantTwice):
        allocate([Grant("a", "purchase", 5), Grant("a", "purchase", 5)], 8, TODAY)


def test_a_grant_out_of_bounds_is_refused() -> None:
    with pytest.raises(GrantOutOfBounds, match="priority 101"):
        Grant("a", "purchase", 5, priority=101)
    with pytest.raises(GrantOutOfBounds, match="remaining_minor -1"):
        Grant("a", "purchase", -1)
    with pytest.raises(GrantOutOfBounds, match="'gift'"):
        Grant("a", "gift", 5)  # type: ignore[arg-type]  # that is what is refused


grants = st.lists(
    st.builds(
        Grant,
        id=st.one_of(st.uuids(), st.text("abc", min_size=1, max_size=3)),
        kind=st.sampled_from(["promotional", "purchase"]),
        remaining_minor=st.integers(0, 500),
        priority=st.sampled_from([0, 50, 100]),
        expires_on=st.none() | st.dates(TODAY - timedelta(days=2), TODAY + timedelta(days=2)),
        created_at=st.sampled_from([FIRST, FIRST + timedelta(seconds=1)]),
    ),
    max_size=8,
    unique_by=lambda grant: grant.id,
)


@given(grants, st.integers(0, 3000), st.randoms(use_true_random=False))
def test_allocation_is_exact_and_the_same_in_whatever_order_the_grants_come(
    given_grants: list[Grant], amount_minor: int, dice: Random
) -> None:
    """R18: a total order; every penny is used or left."""
    uses = allocate(given_grants, amount_minor, TODAY)
    by_id: dict[UUID | str, Grant] = {grant.id: grant for grant in given_grants}
    usable_minor = sum(grant.remaining_minor for grant in given_grants if grant.usable(TODAY))

    assert sum(use.amount_minor for use in uses) == min(amount_minor, usable_minor)
    assert all(0 < use.amount_minor <= by_id[use.grant_id].remaining_minor for use in uses)
    assert all(by_id[use.grant_id].usable(TODAY) for use in uses)
    assert all(use.amount_minor == by_id[use.grant_id].remaining_minor for use in uses[:-1]), (
        "only the last in part"
    )

    touched = [order_of_use(by_id[use.grant_id]) for use in uses]
    untouched = [order_of_use(g) for g in given_grants if g.usable(TODAY) and order_of_use(g) not in touched]
    assert touched == sorted(touched)
    assert not touched or all(touched[-1] < later for later in untouched)

    shuffled = list(given_grants)
    dice.shuffle(shuffled)
    assert allocate(shuffled, amount_minor, TODAY) == uses
