"""R11: money is an integer of minor units with an ISO currency, rounded half-up, read without guessing."""

import pickle
from contextlib import suppress
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import money

currencies = st.sampled_from(sorted(money.MINOR_DIGITS))


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("200.00", "GBP", 20000),
        ("200", "GBP", 20000),
        ("200.5", "GBP", 20050),
        ("0.05", "EUR", 5),
        ("0", "USD", 0),
        ("1500", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("999999999999.99", "GBP", 99999999999999),
    ],
)
def test_a_plain_amount_is_read_as_minor_units(text: str, currency: str, minor: int) -> None:
    assert money.parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1e2", "1_000", "1,000.00", "+5", "-5", "5 ", " 5", "5\n", "1 000", "200.", ".50", "200.001",
        "1.2.3", "٢٠٠", "２００", "²", "1.٥٠", "NaN", "inf", "0x10", "007", "£5", "5GBP", "9" * 13,
        "1" * 100_000,
    ],
)  # fmt: skip
def test_anything_that_needs_a_guess_is_refused(text: str) -> None:
    with pytest.raises(money.NotMoney) as refused:
        money.parse_minor(text, "GBP")

    assert "200.00" in str(refused.value), "the message shows how to write it"
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(("text", "currency"), [("1500.00", "JPY"), ("1500.", "JPY"), ("1.2345", "KWD")])
def test_decimals_that_the_currency_does_not_have_are_refused(text: str, currency: str) -> None:
    with pytest.raises(money.NotMoney, match=currency):
        money.parse_minor(text, currency)


@pytest.mark.parametrize("currency", ["GPB", "gbp", "", "£", "GBP "])
def test_an_unknown_currency_is_refused_by_every_function(currency: str) -> None:
    for use in (
        lambda: money.exponent(currency),
        lambda: money.parse_minor("5", currency),
        lambda: money.plain(5, currency),
        lambda: money.format_minor(5, currency),
    ):
        with pytest.raises(money.UnknownCurrency, match="GBP"):
            use()


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (20000, "GBP", "£200.00"),
        (120000, "EUR", "€1,200.00"),
        (500, "USD", "$5.00"),
        (1500, "JPY", "¥1,500"),
        (2000, "CHF", "CHF 20.00"),
        (1234567, "KWD", "KWD 1,234.567"),
        (-500, "GBP", "-£5.00"),
        (-5, "CHF", "-CHF 0.05"),
        (0, "GBP", "£0.00"),
    ],
)
def test_an_amount_is_written_for_a_reader(minor: int, currency: str, text: str) -> None:
    assert money.format_minor(minor, currency) == text


@given(st.integers(0, 10**12 - 1), currencies)
def test_what_is_written_plain_is_read_back(minor: int, currency: str) -> None:
    assert money.parse_minor(money.plain(minor, currency), currency) == minor


@given(st.text() | st.from_regex(r"[0-9]{1,14}(\.[0-9]{0,4})?", fullmatch=True), currencies)
def test_whatever_is_read_is_the_amount_that_was_written(text: str, currency: str) -> None:
    with suppress(money.NotMoney):
        minor = money.parse_minor(text, currency)
        assert Fraction(text) == Fraction(minor, 10 ** money.exponent(currency))


def test_a_negative_amount_is_written_plain_too() -> None:
    assert money.plain(-5, "GBP") == "-0.05"


@given(st.integers(-(10**15), 10**15), st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_share_is_the_fraction_rounded_half_up(amount: int, numerator: int, denominator: int) -> None:
    """R11: rounding is half-up; away from zero, so that a refund rounds like its charge."""
    exact = Fraction(amount) * Fraction(numerator, denominator)
    half_up = floor(abs(exact) + Fraction(1, 2))

    assert money.share(amount, numerator, denominator) == (half_up if exact >= 0 else -half_up)


@pytest.mark.parametrize(("amount", "rounded"), [(5, 1), (4, 0), (15, 2), (25, 3), (-5, -1), (-15, -2)])
def test_half_a_penny_counts_as_one(amount: int, rounded: int) -> None:
    assert money.share(amount, 1, 10) == rounded


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_share_needs_a_positive_denominator(denominator: int) -> None:
    with pytest.raises(money.NotAFraction):
        money.share(100, 1, denominator)


def test_an_error_survives_the_way_to_another_process() -> None:
    refused = pickle.loads(pickle.dumps(money.NotMoney("1e2", "GBP")))

    assert (refused.text, refused.currency) == ("1e2", "GBP")
