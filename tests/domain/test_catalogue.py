"""R12, R13, R16: what is sold and for how much, and that mistakes in the file are found on load."""

from datetime import date

import pytest

from domain import catalogue as catalogues
from domain import not_offered
from domain.catalogue import Catalogue

ON = date(2027, 8, 17)
MAIL, TRACK, STATS = "SmarterMail", "SmarterTrack", "SmarterStats"
PRO, ENT = "Professional", "Enterprise"
SNIFFER, EAS, MAPI = "Message Sniffer", "Exchange ActiveSync", "MAPI & EWS"


def test_the_shipped_catalogue_sells_what_the_vendor_does(catalogue: Catalogue) -> None:
    """R12: products, editions, sizes."""
    sold = {
        (product, name): list(edition.sizes)
        for product, sold in catalogue.products.items()
        for name, edition in sold.editions.items()
    }

    mailboxes = ["250", "500", "1000", "2000", "Unlimited"]
    assert sold == {
        (MAIL, PRO): mailboxes,
        (MAIL, ENT): mailboxes,
        (TRACK, PRO): ["2", "5", "10"],
        (TRACK, ENT): ["2", "5", "10", "25", "50", "100", "250", "500", "1000"],
        (STATS, PRO): ["50", "250", "1000", "2500"],
        (STATS, ENT): ["50", "250", "1000", "2500", "5000", "10000", "20000"],
    }


def test_everything_sold_has_a_price_in_four_currencies(catalogue: Catalogue) -> None:
    for product, sold in catalogue.products.items():
        for name, edition in sold.editions.items():
            for size in edition.sizes:
                for currency in ("GBP", "EUR", "USD", "JPY"):
                    assert catalogue.renewal_price_minor(product, name, size, currency, ON) > 0
                    for addon in edition.addons:
                        assert catalogue.addon_price_minor(addon, product, name, size, currency, ON) > 0


def test_the_shipped_file_says_that_its_prices_are_examples(catalogue_text: str) -> None:
    """R12: the prices shipped are examples and say so."""
    assert "invented" in catalogue_text.partition("[products")[0]


def test_the_worked_example_of_the_transition_costs_two_hundred_pounds(catalogue: Catalogue) -> None:
    """R19: paid £200.00."""
    for on in (date(2020, 1, 1), ON, date(2035, 1, 1)):
        assert catalogue.renewal_price_minor(MAIL, PRO, "250", "GBP", on) == 20000


def test_a_yen_price_has_no_decimals(catalogue: Catalogue) -> None:
    assert catalogue.renewal_price_minor(MAIL, PRO, "250", "JPY", ON) == 38000


def test_a_price_holds_from_its_day_until_the_next(catalogue: Catalogue) -> None:
    """R12: prices dated (valid_from)."""
    assert catalogue.renewal_price_minor(MAIL, ENT, "250", "GBP", date(2027, 12, 31)) == 34000
    assert catalogue.renewal_price_minor(MAIL, ENT, "250", "GBP", date(2028, 1, 1)) == 36000


def test_an_addons_price_follows_the_size(catalogue: Catalogue) -> None:
    """R12: an add-on's price follows the license's size."""
    assert catalogue.addon_price_minor(EAS, MAIL, ENT, "250", "GBP", ON) == 12000
    assert catalogue.addon_price_minor(EAS, MAIL, ENT, "500", "GBP", ON) == 18000


def test_no_price_is_known_before_the_first(catalogue: Catalogue) -> None:
    with pytest.raises(not_offered.NoPriceYet, match="2020-01-01"):
        catalogue.renewal_price_minor(MAIL, PRO, "250", "GBP", date(2019, 12, 31))


def test_a_currency_without_a_price_is_refused_with_those_that_have_one(catalogue: Catalogue) -> None:
    with pytest.raises(not_offered.CurrencyNotPriced, match="EUR, GBP, JPY, USD"):
        catalogue.renewal_price_minor(MAIL, PRO, "250", "CHF", ON)
    with pytest.raises(not_offered.CurrencyNotPriced, match="MAPI & EWS"):
        catalogue.addon_price_minor(MAPI, MAIL, PRO, "250", "CHF", ON)


def test_exchange_activesync_is_for_enterprise_only(catalogue: Catalogue) -> None:
    """R12: Exchange ActiveSync, Enterprise only."""
    assert catalogue.available_addons(MAIL, PRO, "250", ()) == [SNIFFER, MAPI]
    assert catalogue.available_addons(MAIL, ENT, "250", (MAPI,)) == [SNIFFER, EAS]
    assert catalogue.available_addons(TRACK, ENT, "2", ()) == []
    with pytest.raises(not_offered.AddonNotForEdition, match="Message Sniffer, MAPI & EWS"):
        catalogue.check(MAIL, PRO, "250", (EAS,))


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        (("smartermail", PRO, "250", ()), not_offered.UnknownProduct, "Did you mean 'SmarterMail'"),
        (
            ("SmarterMial", PRO, "250", ()),
            not_offered.UnknownProduct,
            "SmarterMail, SmarterTrack, SmarterStats",
        ),
        ((MAIL, "Pro", "250", ()), not_offered.UnknownEdition, "Professional, Enterprise"),
        ((MAIL, PRO, "251", ()), not_offered.UnknownSize, "250, 500, 1000, 2000, Unlimited"),
        ((MAIL, PRO, "unlimited", ()), not_offered.UnknownSize, "Did you mean 'Unlimited'"),
        ((TRACK, PRO, "25", ()), not_offered.UnknownSize, "2, 5, 10"),
        ((MAIL, PRO, "250", ("Mesage Sniffer",)), not_offered.UnknownAddon, "Did you mean 'Message Sniffer'"),
        ((STATS, PRO, "50", (SNIFFER,)), not_offered.UnknownAddon, "Possible: none"),
        ((MAIL, PRO, "250", (MAPI, MAPI)), not_offered.AddonTwice, "MAPI & EWS"),
        (("", "", "", ()), not_offered.UnknownProduct, "SmarterMail"),
        (("x" * 10_000, "", "", ()), not_offered.UnknownProduct, "SmarterMail"),
    ],
)
def test_what_is_not_sold_is_refused_with_what_is(
    catalogue: Catalogue,
    item: tuple[str, str, str, tuple[str, ...]],
    error: type[not_offered.NotOffered],
    words: str,
) -> None:
    with pytest.raises(error) as refused:
        catalogue.check(*item)

    assert isinstance(refused.value, not_offered.NotOffered)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_price_of_what_is_not_sold_is_refused_the_same_way(catalogue: Catalogue) -> None:
    with pytest.raises(not_offered.UnknownSize):
        catalogue.renewal_price_minor(MAIL, PRO, "3", "GBP", ON)
    with pytest.raises(not_offered.AddonNotForEdition):
        catalogue.addon_price_minor(EAS, MAIL, PRO, "250", "GBP", ON)


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ((MAIL, PRO, "250"), "SmarterMailPro-250"),
        ((MAIL, ENT, "Unlimited"), "SmarterMailEnt-Unlimited"),
        ((TRACK, ENT, "1000"), "SmarterTrackEnt-1000"),
        ((STATS, ENT, "20000"), "SmarterStatsEnt-20000"),
    ],
)
def test_a_product_code_is_the_vendors(catalogue: Catalogue, item: tuple[str, str, str], code: str) -> None:
    assert catalogue.product_code(*item) == code


def test_a_license_is_named_for_a_reader(catalogue: Catalogue) -> None:
    assert catalogue.title(MAIL, PRO, "250") == "SmarterMail Professional, 250 mailboxes"
    assert catalogue.title(MAIL, ENT, "Unlimited") == "SmarterMail Enterprise, unlimited mailboxes"


def test_rates_are_basis_points_and_a_country_that_is_not_set_pays_no_tax(catalogue: Catalogue) -> None:
    """R16: GB 20 %, others 0 unless set. R13: example 10 %."""
    assert catalogue.tax_rate_bp("GB") == 2000
    assert catalogue.tax_rate_bp("US") == 0
    assert catalogue.loyalty_rate_bp == 1000
    assert catalogue.months == 12


@pytest.mark.parametrize("country", ["UK", "gb", "GBR", "", "G", "GB ", "England"])
def test_a_country_that_is_no_code_is_refused_and_not_left_untaxed(
    catalogue: Catalogue, country: str
) -> None:
    with pytest.raises(not_offered.NotACountry, match="GB"):
        catalogue.tax_rate_bp(country)


def test_the_channel_to_the_vendor_is_the_api_unless_set(catalogue: Catalogue, catalogue_text: str) -> None:
    by_hand = catalogues.parse(catalogue_text.replace('channel    = "api"', 'channel = "by_hand"', 1))

    assert catalogue.channel(MAIL) == "api"
    assert (by_hand.channel(MAIL), by_hand.channel(TRACK)) == ("by_hand", "api")
    with pytest.raises(not_offered.UnknownProduct):
        catalogue.channel("Exchange")


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ('"200.00", "290.00"', '"200.00"', "products.SmarterMail.editions.Professional: "),
        ('"200.00",', '"2e2",', "products.SmarterMail.editions.Professional.prices[0]: "),
        ('"200.00",', "200.00,", "products.SmarterMail.editions.Professional.prices[0].GBP[0]: "),
        ('"200.00",', '"-200.00",', "'-200.00' is not an amount of GBP"),
        ("GBP   = ", "GPB   = ", "unknown currency 'GPB'"),
        ("valid_from = 2020-01-01", "valid_form = 2020-01-01", "prices[0].valid_from"),
        ("valid_from = 2020-01-01", 'valid_from = "2020-01-01"', "prices[0].valid_from"),
        ("valid_from = 2028-01-01", "valid_from = 2020-01-01", "valid_from '2020-01-01' stands here twice"),
        ("GB = 2000", "GB = 20.0", "tax_rates_bp.GB"),
        ("GB = 2000", "UKX = 2000", "tax_rates_bp.UKX"),
        ("GB = 2000", "UK = 2000", "like GB (not UK)"),
        ("loyalty_rate_bp = 1000", "loyalty_rate_bp = 10001", "loyalty_rate_bp"),
        ("loyalty_rate_bp = 1000", "loyalty_rate = 1000", "loyalty_rate: "),
        ('channel    = "api"', 'channel = "fax"', "products.SmarterMail.channel"),
        ('editions = ["Enterprise"]', 'editions = ["Entreprise"]', "is for edition 'Entreprise'"),
        ('"250",    "500"', '"250",    "250"', "size '250' stands here twice"),
        ('"SmarterMailEnt"', '"SmarterMailPro"', "code 'SmarterMailPro' stands here twice"),
        ("months          = 12", "months = 0", "months"),
        ("[tax_rates_bp]", "[tax_rates_bp", "not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_reported_with_its_place(
    catalogue_text: str, written: str, instead: str, place: str
) -> None:
    """R12: in one TOML file checked on load."""
    assert written in catalogue_text
    with pytest.raises(catalogues.CatalogueError) as refused:
        catalogues.parse(catalogue_text.replace(written, instead, 1))

    assert place in str(refused.value)


def test_an_addon_without_a_price_for_a_size_that_is_sold_is_reported(catalogue_text: str) -> None:
    head, found, tail = catalogue_text.partition('"Message Sniffer"]')
    with pytest.raises(catalogues.CatalogueError, match="no price for Professional 250"):
        catalogues.parse(head + found + tail.replace('"250"', '"251"', 1))


def test_all_mistakes_are_reported_at_once(catalogue_text: str) -> None:
    wrong = catalogue_text.replace("GB = 2000", "GB = -1").replace('counted_in = "agents"', "")
    with pytest.raises(catalogues.CatalogueError) as refused:
        catalogues.parse(wrong)

    assert len(refused.value.problems) == 2


def test_an_empty_file_is_no_catalogue() -> None:
    with pytest.raises(catalogues.CatalogueError, match="products"):
        catalogues.parse("")


def test_a_later_table_raises_only_the_currencies_that_it_names(catalogue_text: str) -> None:
    """A currency that a later table leaves out keeps its price."""
    row = 'EUR   = ["430.00", "605.00", "870.00", "1235.00", "1750.00"]\n'
    assert row in catalogue_text
    shorter = catalogues.parse(catalogue_text.replace(row, ""))

    assert shorter.renewal_price_minor(MAIL, ENT, "250", "EUR", date(2028, 6, 1)) == 41000
    assert shorter.renewal_price_minor(MAIL, ENT, "250", "GBP", date(2028, 6, 1)) == 36000
