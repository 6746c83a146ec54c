"""What a forecast comes to, reckoned from happenings."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import catalogue, foresight
from domain.catalogue import LicenseItem
from domain.draws import drawn
from domain.foresight import Difference, Subject, Sums
from domain.happening import Happening, Kind

DAY = date(2027, 3, 1)


def happening(on=DAY, kind=Kind.RENEWAL, subscription="one", customer="ada", currency="GBP", **facts):
    return Happening(on, subscription, kind, customer, currency, **facts)


def subject(subscription, **facts):
    standing = {"state": "active", "auto_renew": True, "by_hand": True, "expires_on": DAY}
    dates = {"cancel_by": DAY, "cancel_until": datetime(2027, 3, 2, tzinfo=UTC), "renews_on": DAY}
    return Subject(subscription, "SmarterMail", "1A2B", "ada", "Ada", "GBP", **(standing | dates | facts))


def test_months_and_customers_are_summed_in_each_currency():
    lines = [
        happening(net_minor=100, tax_minor=20, card_minor=70, credits_minor=50),
        happening(net_minor=200, card_minor=200, customer="ben"),
        happening(net_minor=300, currency="EUR", card_minor=300),
        happening(date(2027, 4, 1), Kind.LAPSE),
        happening(kind=Kind.PAYMENT_FAILED, short_minor=999),
    ]

    assert foresight.by_month(lines) == {
        ("2027-03", "EUR"): Sums(renewals=1, net_minor=300, cash_minor=300, updates=1),
        ("2027-03", "GBP"): Sums(2, 300, 20, 50, 270, 0, 2),
        ("2027-04", "GBP"): Sums(lapses=1),
    }
    assert [row[0] for row in foresight.by_customer(lines)] == ["ada", "ada", "ben"]


def test_only_what_differs_is_a_difference():
    before = {("2027-03", "GBP"): Sums(renewals=1, cash_minor=100), ("2027-04", "GBP"): Sums(renewals=1)}
    after = {("2027-03", "GBP"): Sums(renewals=1, cash_minor=90), ("2027-04", "GBP"): Sums(renewals=1)}

    assert foresight.differences(before, after) == [Difference(("2027-03", "GBP"), "cash_minor", 100, 90)]


def test_a_promise_is_at_risk_when_it_is_owed_late_or_one_too_many_for_staff():
    """R5, R23."""
    lines = [happening(subscription=name, promise_on=DAY, expired_on=date(2027, 3, 15)) for name in "abc"]
    lines.append(happening(subscription="d", promise_on=date(2027, 3, 16), expired_on=date(2027, 3, 15)))
    subjects = {name: subject(name) for name in "abcd"}
    subjects["e"] = subject("e", promised_on=date(2027, 2, 1), promise_broken=True)

    found = foresight.risks(lines, subjects, a_day=2)

    assert [(risk.subscription_id, risk.why.split()[0]) for risk in found] == [
        ("e", "broken"),
        ("c", "3"),
        ("d", "paid"),
    ]


def test_a_renewal_can_be_cancelled_until_its_cut_off_and_is_told_only_within_the_horizon():
    """R2."""
    subjects = [subject("in"), subject("off", auto_renew=False), subject("far", cancel_by=date(2028, 1, 1))]

    before = foresight.cancellable(subjects, datetime(2027, 3, 1, 23, 59, tzinfo=UTC), date(2027, 12, 31))
    after = foresight.cancellable(subjects, datetime(2027, 3, 2, tzinfo=UTC), date(2027, 12, 31))

    assert [one.subscription_id for one in before] == ["in"]
    assert after == []


def test_the_vendor_s_price_has_no_loyalty_and_what_has_no_price_is_named(shipped):
    item = LicenseItem("SmarterMail", "Professional", "250", ("Message Sniffer",))
    cost = foresight.vendor_cost(catalogue.parse(shipped))

    assert cost(happening(item=item)) == 280_00
    assert cost(happening(kind=Kind.LAPSE)) == 0
    assert foresight.unpriced([happening(item=item)], cost) == []
    (missing,) = foresight.unpriced([happening(item=item, currency="CHF")], cost)
    assert "CHF" in missing


@pytest.fixture
def shipped():
    from config import SHIPPED_CATALOGUE

    return SHIPPED_CATALOGUE.read_text(encoding="utf-8")


@given(name=st.text(), low=st.integers(0, 10_000), more=st.integers(0, 10_000))
def test_whoever_is_drawn_at_a_rate_is_drawn_at_every_higher_one(name, low, more):
    high = min(10_000, low + more)

    assert drawn("seed", name, high) or not drawn("seed", name, low)
    assert drawn("seed", name, 10_000)
    assert not drawn("seed", name, 0)


def test_a_rate_is_the_share_of_those_drawn():
    share = sum(drawn("seed", f"customer {number}", 800) for number in range(5000)) / 5000

    assert 0.07 < share < 0.09
