"""Amounts as Stripe takes them: minor units, from a least to a most per charge."""

from __future__ import annotations

from sandbox.payments_problems import Problem, invalid

LEAST = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "chf": 50, "cad": 50, "aud": 50, "sek": 300, "dkk": 250}
"""https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts; others here as the dollar."""

MOST = 99_999_999
WITHOUT_MINOR_UNITS = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv"}
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def check(amount: int, currency: str) -> None:
    """Raise `Problem` for what Stripe does not charge."""
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, "parameter_invalid_integer", "amount")
    least = LEAST.get(currency, 50)
    if amount < least:
        raise _beyond("amount_too_small", f"Amount must be at least {shown(least, currency)} {currency}")
    if amount > MOST:
        raise _beyond("amount_too_large", f"Amount must be no more than {shown(MOST, currency)}")


def shown(amount: int, currency: str) -> str:
    """An amount for people: £6.00, ¥600."""
    sign = SIGNS.get(currency, "")
    if currency in WITHOUT_MINOR_UNITS:
        return f"{sign}{amount}"
    return f"{sign}{amount // 100}.{amount % 100:02d}"


def _beyond(code: str, message: str) -> Problem:
    return invalid(message, code, "amount")
