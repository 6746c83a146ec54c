"""Money in four currencies, one of which has no smaller unit (R11)."""

from __future__ import annotations

import pytest

from tests.money.book import Book


@pytest.mark.parametrize(
    ("currency", "country", "net_minor", "tax_minor", "credit_minor"),
    [
        ("GBP", "GB", 180_00, 36_00, 50_00),
        ("EUR", "DE", 216_00, 0, 50_00),
        ("USD", "US", 234_00, 0, 50_00),
        ("JPY", "JP", 34_200, 0, 5_000),
    ],
)
async def test_invoice_statement_and_provider_agree_on_every_amount(
    book: Book, currency: str, country: str, net_minor: int, tax_minor: int, credit_minor: int
):
    """R11, R12, R16, R17: in the customer's currency to its smallest unit; credit in another one is not touched."""
    total_minor = net_minor + tax_minor
    license = await book.subscription(book.customer(country, currency))
    customer = license.customer
    await customer.save_card()
    await customer.grant(credit_minor)
    elsewhere = "USD" if currency == "GBP" else "GBP"
    await customer.grant(1_000_000, currency=elsewhere)

    await license.days_before_expiry(13)

    [invoice] = await customer.papers()
    assert invoice.currency == currency
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (net_minor, tax_minor, total_minor)
    assert sum(line.amount_minor for line in invoice.lines) == total_minor
    assert [(part.source, part.amount_minor) for part in invoice.parts] == [
        ("promotional", credit_minor),
        ("card", total_minor - credit_minor),
    ]
    used, untouched = await customer.statement()
    assert [(line.kind, line.amount_minor) for line in used.lines] == [
        ("grant", credit_minor),
        ("use", -credit_minor),
    ]
    assert (used.currency, used.remaining_minor) == (currency, 0)
    assert (untouched.currency, untouched.remaining_minor) == (elsewhere, 1_000_000)
    assert await customer.taken() == [(total_minor - credit_minor, currency)]
