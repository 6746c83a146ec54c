"""R27: what another size or edition costs now, and what may become smaller at the renewal."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import (
    AddonNotForEdition,
    Catalogue,
    LicenseItem,
    UnknownEdition,
    UnknownSize,
)
from domain.money import share
from domain.ordering import Charged, NotForSale
from domain.pricing import Bill, LineKind
from domain.term import Term, next_term
from domain.upgrades import AddonNotHeld, NotAnUpgrade, NotASmallerOne, check_change_at_renewal, upgrade_bill

TERM = Term(date(2026, 9, 1), date(2027, 8, 31))
ON = date(2027, 3, 1)  # 184 of 365 days are left
REST = Charged(TERM, None)
SNIFFER, EAS, MAPI = "Message Sniffer", "Exchange ActiveSync", "MAPI & EWS"
PRO_250 = LicenseItem("SmarterMail", "Professional", "250")
PRO_500 = replace(PRO_250, size="500")
ENT_250 = replace(PRO_250, edition="Enterprise")

sizes = st.sampled_from(["250", "500", "1000", "2000", "Unlimited"])
editions = st.sampled_from(["Professional", "Enterprise"])


def bill(
    catalogue: Catalogue,
    item: LicenseItem,
    wanted: LicenseItem,
    terms: Charged = REST,
    on: date = ON,
    country: str = "US",
    price_minor: int | None = None,
) -> Bill:
    return upgrade_bill(catalogue, item, wanted, terms, on, "GBP", country, price_minor)


def test_an_upgrade_costs_the_difference_for_the_days_left(catalogue: Catalogue) -> None:
    """£290.00 − £200.00 = £90.00, of which 184/365 are £45.37."""
    [line] = bill(catalogue, PRO_250, PRO_500).lines

    assert (line.kind, line.amount_minor, line.days, line.term_days) == (LineKind.UPGRADE, 45_37, 184, 365)
    assert line.description == "Upgrade to SmarterMail Professional, 500 mailboxes"


def test_the_addons_prices_follow_the_size_and_are_in_the_difference(catalogue: Catalogue) -> None:
    """R12: £90.00 for the license and £40.00 for the Sniffer."""
    has = replace(PRO_250, addons=(SNIFFER,))

    assert bill(catalogue, has, replace(has, size="500")).total_minor == share(130_00, 184, 365)


def test_tax_is_a_line_of_its_own(catalogue: Catalogue) -> None:
    """R16."""
    taxed = bill(catalogue, PRO_250, PRO_500, country="GB")

    assert [(line.kind, line.amount_minor) for line in taxed.lines] == [("upgrade", 45_37), ("tax", 9_07)]
    assert taxed.total_minor == 54_44


def test_once_the_renewal_is_settled_the_next_term_is_paid_for_too(catalogue: Catalogue) -> None:
    terms = Charged(TERM, next_term(TERM))

    assert bill(catalogue, PRO_250, PRO_500, terms).net_minor == 45_37 + 90_00


def test_a_stated_price_is_the_price(catalogue: Catalogue) -> None:
    """R27: staff price the order; tax comes on top, no days are charged."""
    stated = bill(catalogue, PRO_250, ENT_250, country="GB", price_minor=50_00)

    assert [line.amount_minor for line in stated.lines] == [50_00, 10_00]
    assert stated.lines[0].days is None


@pytest.mark.parametrize("wanted", [PRO_250, ENT_250])
def test_what_does_not_cost_more_is_no_upgrade(catalogue: Catalogue, wanted: LicenseItem) -> None:
    unlimited = replace(ENT_250, size="Unlimited")
    with pytest.raises(NotAnUpgrade, match="smaller size or edition takes effect at the renewal"):
        bill(catalogue, unlimited, wanted)
    with pytest.raises(NotAnUpgrade):
        bill(catalogue, wanted, wanted)


def test_what_is_not_sold_is_said_with_what_was_meant(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownSize, match="Possible: 250, 500"):
        bill(catalogue, PRO_250, replace(PRO_250, size="300"))
    with pytest.raises(UnknownEdition, match="Did you mean 'Enterprise'"):
        bill(catalogue, PRO_250, replace(PRO_250, edition="Enterprize"))


@given(editions, sizes, editions, sizes, st.integers(0, 364), st.sampled_from(["GB", "US"]))
def test_an_upgrade_there_and_back_is_an_upgrade_in_one_direction_only(
    catalogue: Catalogue, edition: str, size: str, to_edition: str, to_size: str, day: int, country: str
) -> None:
    item = LicenseItem("SmarterMail", edition, size)
    wanted = LicenseItem("SmarterMail", to_edition, to_size)
    on = TERM.starts_on + timedelta(days=day)

    def total_minor(item: LicenseItem, wanted: LicenseItem) -> int | None:
        try:
            made = bill(catalogue, item, wanted, on=on, country=country)
        except NotAnUpgrade:
            return None
        assert made.net_minor + made.tax_minor == made.total_minor
        return made.total_minor

    there, back = total_minor(item, wanted), total_minor(wanted, item)
    assert there is None or back is None
    assert (there or 0) >= 0
    assert (back or 0) >= 0


@given(sizes, st.integers(0, 363))
def test_an_upgrade_gets_cheaper_by_the_day(catalogue: Catalogue, size: str, day: int) -> None:
    item, wanted = (
        LicenseItem("SmarterMail", "Professional", size),
        LicenseItem("SmarterMail", "Enterprise", size),
    )
    on = TERM.starts_on + timedelta(days=day)

    today, tomorrow = (
        bill(catalogue, item, wanted, on=on),
        bill(catalogue, item, wanted, on=on + timedelta(days=1)),
    )

    assert tomorrow.total_minor <= today.total_minor


def check(
    catalogue: Catalogue,
    item: LicenseItem,
    drop: tuple[str, ...] = (),
    edition: str | None = None,
    size: str | None = None,
    state: str = "active",
) -> None:
    check_change_at_renewal(catalogue, item, state, drop, edition, size, "GBP", ON)


def test_at_the_renewal_addons_may_be_left_out_and_the_license_become_smaller(catalogue: Catalogue) -> None:
    item = LicenseItem("SmarterMail", "Enterprise", "500", (EAS, SNIFFER))

    check(catalogue, item)
    check(catalogue, item, drop=(EAS, SNIFFER))
    check(catalogue, item, size="250")
    check(catalogue, item, drop=(EAS,), edition="Professional", state="cancelled")


def test_an_addon_that_the_smaller_edition_cannot_have_must_be_dropped_with_it(catalogue: Catalogue) -> None:
    item = LicenseItem("SmarterMail", "Enterprise", "500", (EAS,))

    with pytest.raises(AddonNotForEdition, match="Exchange ActiveSync"):
        check(catalogue, item, edition="Professional")


def test_what_costs_more_is_an_upgrade_and_not_noted_for_the_renewal(catalogue: Catalogue) -> None:
    with pytest.raises(NotASmallerOne, match="ask for an upgrade instead"):
        check(catalogue, PRO_250, size="500")
    with pytest.raises(NotASmallerOne):
        check(
            catalogue, replace(PRO_500, addons=(SNIFFER,)), drop=(SNIFFER,), edition="Enterprise", size="500"
        )


def test_an_addon_that_the_license_does_not_have_cannot_be_dropped(catalogue: Catalogue) -> None:
    with pytest.raises(AddonNotHeld, match="does not have 'Message Sniffer'"):
        check(catalogue, PRO_250, drop=(SNIFFER,))


@pytest.mark.parametrize("state", ["collecting", "updating", "refused", "lapsed", "expired"])
def test_after_the_renewal_date_nothing_is_changed_any_more(catalogue: Catalogue, state: str) -> None:
    with pytest.raises(NotForSale, match="renewal date has passed"):
        check(catalogue, PRO_500, size="250", state=state)


@given(editions, sizes, editions, sizes)
def test_every_change_is_an_upgrade_or_may_wait_for_the_renewal(
    catalogue: Catalogue, edition: str, size: str, to_edition: str, to_size: str
) -> None:
    """A customer who is told to ask for the other is not sent back from there."""
    item, wanted = LicenseItem("SmarterMail", edition, size), LicenseItem("SmarterMail", to_edition, to_size)
    try:
        bill(catalogue, item, wanted)
        is_upgrade = True
    except NotAnUpgrade:
        is_upgrade = False
    try:
        check(catalogue, item, edition=to_edition, size=to_size)
        is_smaller = True
    except NotASmallerOne:
        is_smaller = False

    assert is_upgrade != is_smaller
