"""What counts as a difference between two records."""

from dataclasses import replace
from datetime import date

import pytest

from domain.differences import ADVICE, Kind, Shape, Taken, charge_difference, license_difference

OURS = Shape(date(2027, 8, 31), "Professional", "250", frozenset())
RENEWED = replace(OURS, expires_on=date(2028, 8, 31))
TAKEN = Taken("pi_1", "sub/2027-08-31/renewal/1/charge/1", 180_00, "GBP", succeeded=True)
DECLINED = replace(TAKEN, succeeded=False)


def test_every_kind_says_what_to_do():
    assert set(ADVICE) == set(Kind)


def test_the_vendor_may_show_what_we_hold_or_what_an_update_under_way_makes_of_it():
    assert license_difference("sub_1", OURS, OURS) is None
    assert license_difference("sub_1", OURS, RENEWED, [RENEWED]) is None


@pytest.mark.parametrize("seen", [RENEWED, replace(OURS, size="500"), replace(OURS, addons=frozenset({"X"}))])
def test_anything_else_at_the_vendor_was_somebody_else(seen: Shape):
    found = license_difference("sub_1", OURS, seen)

    assert found is not None
    assert found.kind == Kind.LICENSE_DIFFERS


@pytest.mark.parametrize(
    ("ours", "seen", "kind"),
    [
        (TAKEN, TAKEN, None),
        (DECLINED, DECLINED, None),
        (None, DECLINED, None),
        (DECLINED, None, None),
        (None, TAKEN, Kind.CHARGE_UNKNOWN_HERE),
        (TAKEN, None, Kind.CHARGE_UNKNOWN_THERE),
        (TAKEN, DECLINED, Kind.CHARGE_DIFFERS),
        (DECLINED, TAKEN, Kind.CHARGE_DIFFERS),
        (TAKEN, replace(TAKEN, amount_minor=1), Kind.CHARGE_DIFFERS),
        (TAKEN, replace(TAKEN, refunded_minor=1), Kind.REFUND_DIFFERS),
    ],
)
def test_a_charge_differs_where_money_moved_in_one_record_only(ours, seen, kind):
    found = charge_difference(ours, seen)

    assert (found and found.kind) == kind
