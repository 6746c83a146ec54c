"""Money as integers of minor units with an ISO 4217 currency (R11): reading, writing and taking a share.

Not a money class and not exchange: an amount is a plain ``int`` beside its currency code, and currencies
never mix.
"""

import re
from dataclasses import dataclass
from typing import Final

MINOR_DIGITS: Final = {
    "AED": 2, "AUD": 2, "BGN": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "CZK": 2,
    "DKK": 2, "EUR": 2, "GBP": 2, "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "ISK": 0, "JOD": 3,
    "JPY": 0, "KRW": 0, "KWD": 3, "MXN": 2, "MYR": 2, "NOK": 2, "NZD": 2, "OMR": 3, "PHP": 2, "PLN": 2,
    "RON": 2, "SAR": 2, "SEK": 2, "SGD": 2, "THB": 2, "TND": 3, "TRY": 2, "TWD": 2, "UAH": 2, "USD": 2,
    "VND": 0, "ZAR": 2,
}  # fmt: skip
SYMBOLS: Final = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}

# Twelve digits before the point: more than anyone owes, and far inside a 64-bit column of minor units.
_PLAIN: Final = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]+))?")


@dataclass(eq=False)
class UnknownCurrency(ValueError):
    """The code names no currency whose minor units we know."""

    currency: str

    def __str__(self) -> str:
        return f"unknown currency {self.currency[:20]!r}: write one of {', '.join(MINOR_DIGITS)}"


@dataclass(eq=False)
class NotMoney(ValueError):
    """The text is not a plain, non-negative amount of the currency."""

    text: str
    currency: str

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 40 else self.text[:40] + "…"
        digits = exponent(self.currency)
        how = "digits only" if digits == 0 else f"digits, then a point and at most {digits} decimals"
        example = plain(200 * 10**digits, self.currency)
        return f"{shown!r} is not an amount of {self.currency}: write {how}, like {example}"


@dataclass(eq=False)
class NotAFraction(ValueError):
    """The denominator of a share is not positive."""

    numerator: int
    denominator: int

    def __str__(self) -> str:
        fraction = f"{self.numerator}/{self.denominator}"
        return f"cannot take {fraction} of an amount: the denominator must be 1 or more"


def exponent(currency: str) -> int:
    """Count the currency's decimals (R11): 2 for GBP, 0 for JPY, 3 for KWD; raises ``UnknownCurrency``."""
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


def parse_minor(text: str, currency: str) -> int:
    """Read a plain amount such as ``200.00``, ``200`` or, in JPY, ``1500`` as minor units (R11).

    Signs, blanks, separators, exponents, other scripts' digits, leading zeros and too many decimals raise
    ``NotMoney``: what a person or a spreadsheet meant by them is a guess. Raises ``UnknownCurrency``.
    """
    digits = exponent(currency)
    match = _PLAIN.fullmatch(text)
    if match is None or len(match[2] or "") > digits:
        raise NotMoney(text, currency)
    return int(match[1] + (match[2] or "").ljust(digits, "0"))


def plain(amount_minor: int, currency: str) -> str:
    """Write minor units as ``200.00``, what ``parse_minor`` reads; raises ``UnknownCurrency``."""
    return _decimal(amount_minor, currency, grouping="")


def format_minor(amount_minor: int, currency: str) -> str:
    """Write minor units for a reader: ``£200.00``, ``€1,200.00``, ``¥1,500``, ``CHF 20.00``, ``-£5.00``."""
    sign = "-" if amount_minor < 0 else ""
    unit = SYMBOLS.get(currency, f"{currency} ")
    return sign + unit + _decimal(abs(amount_minor), currency, grouping=",")


def share(amount_minor: int, numerator: int, denominator: int) -> int:
    """Take ``numerator/denominator`` of an amount in minor units, rounded half-up, away from zero (R11).

    Symmetric: a refund rounds like the charge it undoes. Raises ``NotAFraction`` unless ``denominator`` is
    positive.
    """
    if denominator <= 0:
        raise NotAFraction(numerator, denominator)
    product = amount_minor * numerator
    size = (2 * abs(product) + denominator) // (2 * denominator)
    return -size if product < 0 else size


def _decimal(amount_minor: int, currency: str, grouping: str) -> str:
    digits = exponent(currency)
    whole, rest = divmod(abs(amount_minor), 10**digits)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole:{grouping}}" + (f".{rest:0{digits}}" if digits else "")
