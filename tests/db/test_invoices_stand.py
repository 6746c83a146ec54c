"""An invoice that was issued stands: numbered once, adding up, never changed (R15, R25, R29)."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db.identifiers import new_id
from db.models.invoice import Invoice, InvoiceLine, InvoiceSeries
from db.models.payment import Payment
from tests.db.bookkeeper import AT, Bookkeeper

Sessions = async_sessionmaker[AsyncSession]


def lines(invoice_id: str, *amounts: tuple[str, int]) -> list[InvoiceLine]:
    return [
        InvoiceLine(
            invoice_id=invoice_id, position=position, kind=kind, description=kind, amount_minor=amount
        )
        for position, (kind, amount) in enumerate(amounts, start=1)
    ]


async def issue(
    books: Bookkeeper,
    *amounts: tuple[str, int],
    **changes: Any,
) -> str:
    customer_id = await books.customer()
    account_id = await books.invoice(customer_id, 21_600)
    invoice_id = new_id("invoice")
    facts = {
        "series": "INV",
        "sequence": 1,
        "number": "INV-1",
        "kind": "invoice",
        "currency": "GBP",
        "net_minor": 18_000,
        "tax_minor": 3_600,
        "total_minor": 21_600,
        "bill_to_name": "Ann",
        "bill_to_country": "GB",
    }
    async with books.sessions.begin() as session:
        await session.merge(InvoiceSeries(series="INV", next_number=2))
        await session.flush()
        session.add(
            Invoice(
                id=invoice_id, customer_id=customer_id, account_id=account_id, issued_at=AT, **facts | changes
            )
        )
        await session.flush()
        session.add_all(lines(invoice_id, *amounts))
    return invoice_id


RENEWAL = (("renewal", 20_000), ("discount", -2_000), ("tax", 3_600))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE invoices SET total_minor = 1",
        "DELETE FROM invoices",
        "TRUNCATE invoices CASCADE",
        "UPDATE invoice_lines SET amount_minor = 1",
        "DELETE FROM invoice_lines",
        "TRUNCATE invoice_lines",
    ],
)
async def test_an_issued_invoice_cannot_be_changed(
    books: Bookkeeper, engine: AsyncEngine, change: str
) -> None:
    await issue(books, *RENEWAL)
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError, match="append-only"):
            await connection.execute(text(change))


@pytest.mark.parametrize(
    "amounts",
    [
        (),
        RENEWAL[:2],
        (("renewal", 21_600),),
        (("renewal", 18_000), ("tax", 3_599)),
    ],
)
async def test_an_invoice_whose_lines_do_not_add_up_is_refused(
    books: Bookkeeper, amounts: tuple[tuple[str, int], ...]
) -> None:
    """R15: what is charged is what the lines say, to the penny."""
    with pytest.raises(IntegrityError, match="lines do not add up"):
        await issue(books, *amounts)


async def test_a_line_cannot_be_added_later(books: Bookkeeper, sessions: Sessions) -> None:
    invoice_id = await issue(books, *RENEWAL)
    late = InvoiceLine(invoice_id=invoice_id, position=9, kind="addon", description="late", amount_minor=1)
    with pytest.raises(IntegrityError, match="lines do not add up"):
        async with sessions.begin() as session:
            session.add(late)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"total_minor": 21_601}, "ck_invoices_total_adds_up"),
        ({"net_minor": -1, "total_minor": 3_599}, "ck_invoices_sign_of_kind"),
        ({"kind": "credit_note"}, "ck_invoices"),
        ({"kind": "receipt"}, "ck_invoices"),
        ({"bill_to_country": "gb"}, "ck_invoices_bill_to_country_iso"),
        ({"currency": "£"}, "ck_invoices_currency_iso"),
        ({"series": "OTHER"}, "fk_invoices_series"),
    ],
)
async def test_an_invoice_that_is_none_is_refused(
    books: Bookkeeper, changes: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        await issue(books, *RENEWAL, **changes)


async def test_a_number_is_given_once(books: Bookkeeper) -> None:
    await issue(books, *RENEWAL)
    with pytest.raises(IntegrityError, match="uq_invoices"):
        await issue(books, *RENEWAL)


async def test_one_charge_of_an_invoice_is_under_way_at_most(books: Bookkeeper, sessions: Sessions) -> None:
    """R25: declined ones do not count; anything else holds the place, even when its outcome is unknown."""
    invoice_id = await issue(books, *RENEWAL)

    def charge(key: str, status: str, **more: Any) -> Payment:
        return Payment(
            id=new_id("payment"),
            invoice_id=invoice_id,
            key=key,
            kind="charge",
            amount_minor=100,
            currency="GBP",
            status=status,
            provider="stripe",
            at=AT,
            **more,
        )

    async with sessions.begin() as session:
        session.add(charge("charge/1", "declined", decline_kind="soft", completed_at=AT))
        session.add(charge("charge/2", "unknown"))
    with pytest.raises(IntegrityError, match="uq_payments_live_charge"):
        async with sessions.begin() as session:
            session.add(charge("charge/3", "pending"))
