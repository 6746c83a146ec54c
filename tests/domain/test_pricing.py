"""R13, R14, R16: lines of a bill, rounded once each, and the days that an add-on is charged for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import Catalogue, LicenseItem, parse
from domain.not_offered import AddonNotForEdition
from domain.pricing import (
    AddonAlreadyHeld,
    Bill,
    LineKind,
    NoAddons,
    OutsideTerm,
    addon_bill,
    addons_part_minor,
    percent,
    prorata,
    renewal_bill,
)
from domain.term import Term, next_term, term_ending

TERM = Term(date(2026, 9, 1), date(2027, 8, 31))
ON = date(2027, 3, 1)
SNIFFER, EAS, MAPI = "Message Sniffer", "Exchange ActiveSync", "MAPI & EWS"
PRO_250 = LicenseItem("SmarterMail", "Professional", "250")
ENT_250 = LicenseItem("SmarterMail", "Enterprise", "250")

terms = st.builds(term_ending, st.dates(date(2020, 1, 1), date(2060, 12, 31)), st.integers(1, 36))
prices = st.integers(0, 10**9)


def amounts(bill: Bill) -> list[tuple[LineKind, int]]:
    return [(line.kind, line.amount_minor) for line in bill.lines]


def test_an_addon_is_charged_for_the_days_left() -> None:
    """R14: £120.00, term 2026-09-01 to 2027-08-31, bought 2027-03-01: 184/365, £60.49."""
    assert prorata(12000, TERM, ON) == 6049


def test_an_addon_bought_on_the_first_day_costs_it_all_and_on_the_last_one_day() -> None:
    assert prorata(12000, TERM, TERM.starts_on) == 12000
    assert prorata(36500, TERM, TERM.expires_on) == 100


@pytest.mark.parametrize("on", [date(2026, 8, 31), date(2027, 9, 1)])
def test_a_day_outside_the_term_is_refused(on: date) -> None:
    with pytest.raises(OutsideTerm, match="2026-09-01"):
        prorata(12000, TERM, on)


@given(terms, prices, st.data())
def test_prorata_falls_by_the_day_from_the_whole_price(term: Term, price: int, data: st.DataObject) -> None:
    on = term.starts_on + timedelta(days=data.draw(st.integers(0, term.days - 1)))
    charged = prorata(price, term, on)

    assert 0 <= charged <= price
    assert prorata(price, term, term.starts_on) == price
    if on < term.expires_on:
        assert prorata(price, term, on + timedelta(days=1)) <= charged


@given(terms, prices, st.data())
def test_the_days_gone_and_the_days_left_make_up_the_price_to_a_penny(
    term: Term, price: int, data: st.DataObject
) -> None:
    """R11, R14: each part is rounded once, so together they are off by one minor unit at most."""
    left = data.draw(st.integers(1, term.days))
    with_left = prorata(price, term, term.expires_on - timedelta(days=left - 1))
    with_gone = prorata(price, term, term.starts_on + timedelta(days=left)) if left < term.days else 0

    assert abs(with_left + with_gone - price) <= 1


def test_a_renewal_has_a_line_for_the_license_and_for_each_addon(catalogue: Catalogue) -> None:
    item = LicenseItem("SmarterMail", "Enterprise", "250", (SNIFFER, EAS))
    bill = renewal_bill(catalogue, item, "GBP", "US", loyal=False, on=ON)

    assert amounts(bill) == [(LineKind.RENEWAL, 34000), (LineKind.ADDON, 8000), (LineKind.ADDON, 12000)]
    assert [line.addon for line in bill.lines] == [None, SNIFFER, EAS]
    assert bill.lines[0].description == "SmarterMail Enterprise, 250 mailboxes: renewal"
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (54000, 0, 54000)


def test_loyalty_takes_ten_percent_off_on_a_line_of_its_own(catalogue: Catalogue) -> None:
    """R13, and R19's example: £200.00 becomes £180.00."""
    bill = renewal_bill(catalogue, PRO_250, "GBP", "US", loyal=True, on=ON)

    assert amounts(bill) == [(LineKind.RENEWAL, 20000), (LineKind.DISCOUNT, -2000)]
    assert bill.lines[1].description == "Loyalty discount, 10%"
    assert bill.lines[1].rate_bp == 1000
    assert bill.total_minor == 18000


def test_tax_is_on_the_net_after_the_discount_and_a_line_of_its_own(catalogue: Catalogue) -> None:
    """R16: GB 20 %; prices are net."""
    bill = renewal_bill(catalogue, PRO_250, "GBP", "GB", loyal=True, on=ON)

    assert amounts(bill) == [(LineKind.RENEWAL, 20000), (LineKind.DISCOUNT, -2000), (LineKind.TAX, 3600)]
    assert bill.lines[2].description == "Tax, 20%"
    assert (bill.net_minor, bill.tax_minor, bill.total_minor) == (18000, 3600, 21600)


def test_the_discount_is_rounded_once_over_all_lines(catalogue_text: str) -> None:
    """R11: half-up, once per line: 10 % of 0.05 + 0.05 + 0.05 is 0.02, not three times 0.01."""
    for price in ('"340.00"', '"80.00"', '"120.00"'):
        catalogue_text = catalogue_text.replace(price, '"0.05"')
    item = LicenseItem("SmarterMail", "Enterprise", "250", (SNIFFER, EAS))
    bill = renewal_bill(parse(catalogue_text), item, "GBP", "US", loyal=True, on=ON)

    assert bill.lines[-1].amount_minor == -2


def test_a_renewal_is_priced_on_its_day(catalogue: Catalogue) -> None:
    """R12: prices dated."""
    assert renewal_bill(catalogue, ENT_250, "GBP", "US", False, date(2027, 12, 31)).total_minor == 34000
    assert renewal_bill(catalogue, ENT_250, "GBP", "US", False, date(2028, 1, 1)).total_minor == 36000


def test_a_license_that_is_not_sold_has_no_bill(catalogue: Catalogue) -> None:
    item = LicenseItem("SmarterMail", "Professional", "250", (EAS,))
    with pytest.raises(AddonNotForEdition):
        renewal_bill(catalogue, item, "GBP", "US", loyal=False, on=ON)


def test_an_addon_bill_says_how_many_days_are_charged(catalogue: Catalogue) -> None:
    """R14, R15: days and fraction."""
    bill = addon_bill(catalogue, ENT_250, (EAS,), TERM, ON, "GBP", "US", loyal=False)

    [line] = bill.lines
    assert (line.kind, line.amount_minor, line.days, line.term_days) == (LineKind.ADDON, 6049, 184, 365)
    assert line.description == "Exchange ActiveSync: 1 March 2027 to 31 August 2027 (184 of 365 days)"


def test_an_addon_is_charged_for_the_next_term_too_when_its_renewal_is_settled(catalogue: Catalogue) -> None:
    """R14: for the rest of this term and for the next one."""
    after = next_term(TERM)
    bill = addon_bill(catalogue, ENT_250, (EAS, MAPI), TERM, date(2027, 8, 20), "GBP", "GB", True, after)

    assert amounts(bill) == [
        (LineKind.ADDON, 395),  # 12 of 365 days
        (LineKind.ADDON, 12000),
        (LineKind.ADDON, 493),
        (LineKind.ADDON, 15000),
        (LineKind.DISCOUNT, -2789),
        (LineKind.TAX, 5020),
    ]
    assert bill.lines[1].description == "Exchange ActiveSync: 1 September 2027 to 31 August 2028"
    assert (bill.lines[1].days, bill.lines[1].term_days) == (366, 366)


def test_an_addon_that_the_license_has_is_not_sold_again(catalogue: Catalogue) -> None:
    item = LicenseItem("SmarterMail", "Enterprise", "250", (EAS,))
    with pytest.raises(AddonAlreadyHeld, match="Exchange ActiveSync"):
        addon_bill(catalogue, item, (EAS,), TERM, ON, "GBP", "US", loyal=False)


def test_an_addon_bill_needs_an_addon_that_is_sold_on_a_covered_day(catalogue: Catalogue) -> None:
    with pytest.raises(NoAddons):
        addon_bill(catalogue, ENT_250, (), TERM, ON, "GBP", "US", loyal=False)
    with pytest.raises(AddonNotForEdition):
        addon_bill(catalogue, PRO_250, (EAS,), TERM, ON, "GBP", "US", loyal=False)
    with pytest.raises(OutsideTerm):
        addon_bill(catalogue, ENT_250, (EAS,), TERM, date(2027, 9, 1), "GBP", "US", loyal=False)


@given(
    st.sampled_from(["250", "500", "1000", "2000", "Unlimited"]),
    st.lists(st.sampled_from([SNIFFER, EAS, MAPI]), unique=True, min_size=1).map(tuple),
    st.sampled_from(["GBP", "EUR", "USD", "JPY"]),
    st.sampled_from(["GB", "US"]),
    st.booleans(),
    st.integers(0, 364),
)
def test_a_bill_always_adds_up(
    catalogue: Catalogue,
    size: str,
    addons: tuple[str, ...],
    currency: str,
    country: str,
    loyal: bool,
    day: int,
) -> None:
    """R11: integers throughout; net and tax make the total, and the tax is its rate of the net."""
    item = LicenseItem("SmarterMail", "Enterprise", size)
    on = TERM.starts_on + timedelta(days=day)
    bill = addon_bill(catalogue, item, addons, TERM, on, currency, country, loyal)

    assert bill.net_minor + bill.tax_minor == bill.total_minor
    assert bill.total_minor == sum(line.amount_minor for line in bill.lines)
    assert abs(bill.tax_minor * 10_000 - bill.net_minor * catalogue.tax_rate_bp(country)) <= 5_000
    assert bill.total_minor >= 0


@pytest.mark.parametrize(("rate_bp", "text"), [(1000, "10%"), (1750, "17.5%"), (825, "8.25%"), (5, "0.05%")])
def test_a_rate_is_written_as_percent(rate_bp: int, text: str) -> None:
    assert percent(rate_bp) == text


def test_the_part_of_a_bill_that_is_for_an_addon_has_its_share_of_discount_and_tax(
    catalogue: Catalogue,
) -> None:
    """R13, R16, R20: what a renewal costs more for having the add-on, to the penny that rounding leaves."""
    item = LicenseItem("SmarterMail", "Enterprise", "250", (SNIFFER, MAPI))
    bill = renewal_bill(catalogue, item, "GBP", "GB", loyal=True, on=ON)
    without = renewal_bill(catalogue, replace(item, addons=(MAPI,)), "GBP", "GB", loyal=True, on=ON)

    part_minor = addons_part_minor(bill.lines, (SNIFFER,))

    assert abs(part_minor - (bill.total_minor - without.total_minor)) <= 1
    assert addons_part_minor(bill.lines, ()) == 0
    assert addons_part_minor(bill.lines, (EAS,)) == 0
