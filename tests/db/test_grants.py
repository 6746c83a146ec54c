"""Credits come in once per reference and go out in the order of R18."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import grants, ledger
from domain.credits import Use
from tests.db.bookkeeper import AT, TODAY, Bookkeeper

Sessions = async_sessionmaker[AsyncSession]


async def test_importing_the_same_purchase_twice_grants_once(books: Bookkeeper) -> None:
    """R19: the purchase reference tells."""
    customer_id = await books.customer()

    first = await books.grant(customer_id, 20_000, reference="P-1")
    again = await books.grant(customer_id, 20_000, reference="P-1", at=AT + timedelta(days=1))

    assert first.new
    assert again == grants.Granted(first.grant_id, new=False)
    assert await books.left(first.grant_id) == 20_000
    assert await books.balance("purchases/GBP") == -20_000


@pytest.mark.parametrize(
    "other",
    [{"amount_minor": 20_001}, {"currency": "EUR"}, {"kind": "promotional"}, {"customer_id": "another"}],
)
async def test_a_reference_names_one_grant(books: Bookkeeper, other: dict[str, Any]) -> None:
    """R19: the same reference with another amount, currency, kind or customer is an error, not a grant."""
    same: dict[str, Any] = {"customer_id": await books.customer(), "amount_minor": 20_000, "reference": "P-1"}
    await books.grant(**same)
    if "customer_id" in other:
        other = {"customer_id": await books.customer()}

    with pytest.raises(grants.ReferenceTaken):
        await books.grant(**same | other)

    await books.check()


async def test_what_we_give_and_what_was_paid_are_kept_apart(books: Bookkeeper) -> None:
    """R17: the other side of a grant says where it came from."""
    customer_id = await books.customer()
    await books.grant(customer_id, 300, "promotional")
    await books.grant(customer_id, 500, "purchase")

    assert await books.balance("promotions/GBP") == -300
    assert await books.balance("purchases/GBP") == -500


async def test_grants_are_used_in_the_order_of_the_rules(books: Bookkeeper) -> None:
    """R18: priority, earliest expiry (none last), promotional before purchase, oldest."""
    customer_id = await books.customer()

    async def granted(name: str, **options: Any) -> str:
        return (await books.grant(customer_id, 100, reference=name, **options)).grant_id

    newest = await granted("newest")
    oldest = await granted("oldest", at=AT - timedelta(days=9))
    given = await granted("given", kind="promotional")
    later = await granted("later", expires_on=date(2028, 1, 1))
    today = await granted("today", expires_on=TODAY)
    first = await granted("first", priority=10)
    await granted("yesterday", expires_on=TODAY - timedelta(days=1))
    invoice = await books.invoice(customer_id, 1_000)

    uses = await books.pay("renewal/1", customer_id, invoice, 1_000)

    assert uses == [Use(grant_id, 100) for grant_id in (first, today, later, given, oldest, newest)]
    assert await books.balance(invoice) == -400
    await books.check()


async def test_only_the_customers_own_grants_in_the_currency_are_usable(
    books: Bookkeeper, sessions: Sessions
) -> None:
    """R17: currencies never mix, nor do customers."""
    customer_id = await books.customer()
    pounds = await books.grant(customer_id, 100)
    await books.grant(customer_id, 100, currency="EUR")
    await books.grant(await books.customer(), 100)

    async with sessions() as session:
        usable = await grants.usable_grants(session, customer_id, "GBP", TODAY, lock=False)

    assert [grant.id for grant in usable] == [pounds.grant_id]


async def test_a_quote_does_not_wait_for_a_payment_under_way(books: Bookkeeper, sessions: Sessions) -> None:
    """A look without lock returns at once, even while the grants are being used."""
    customer_id = await books.customer()
    await books.grant(customer_id, 100)

    async with sessions.begin() as paying, sessions.begin() as looking:
        await grants.usable_grants(paying, customer_id, "GBP", TODAY)
        await looking.execute(text("SET LOCAL lock_timeout = '50ms'"))
        assert len(await grants.usable_grants(looking, customer_id, "GBP", TODAY, lock=False)) == 1


async def test_finding_usable_grants_does_not_grow_with_history(
    books: Bookkeeper, engine: AsyncEngine
) -> None:
    """What was used up is not in the index that the search goes through."""
    customer_id = await books.customer()
    invoice = await books.invoice(customer_id, 10_000)
    for number in range(10):
        used = await books.grant(customer_id, 100)
        await books.use(f"use/{number}", invoice, (used.grant_id, 100))
    await books.grant(customer_id, 100)

    query = (
        "SELECT * FROM credit_grants g JOIN accounts a ON a.id = g.account_id WHERE a.kind = 'grant'"
        " AND a.customer_id = 'c' AND a.currency = 'GBP' AND a.balance_minor != 0"
        " ORDER BY a.id FOR NO KEY UPDATE OF a"
    )
    async with engine.connect() as connection:
        await connection.execute(text("SET enable_seqscan = off"))
        plan = "\n".join((await connection.scalars(text(f"EXPLAIN {query}"))).all())
    assert "ix_accounts_open" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    ("options", "constraint"),
    [
        ({"amount_minor": 0}, "ck_credit_grants_amount_minor_positive"),
        ({"amount_minor": -5}, "ck_credit_grants_amount_minor_positive"),
        ({"priority": 101}, "ck_credit_grants_priority_bounded"),
        ({"kind": "gift"}, "ck_credit_grants_kind_known"),
        ({"currency": "gbp"}, "ck_credit_grants_currency_iso"),
        ({"reference": " "}, "ck_credit_grants_reference_not_blank"),
        ({"customer_id": "nobody"}, "fk_credit_grants_customer_id"),
    ],
)
async def test_the_table_refuses_a_grant_that_is_none(
    books: Bookkeeper, options: dict[str, Any], constraint: str
) -> None:
    good: dict[str, Any] = {"customer_id": await books.customer(), "amount_minor": 100}
    with pytest.raises(IntegrityError, match=constraint):
        await books.grant(**good | options)


async def test_a_use_of_more_than_is_left_touches_no_grant(books: Bookkeeper) -> None:
    """R17: a movement stands whole or not at all."""
    customer_id = await books.customer()
    a, b = [(await books.grant(customer_id, 100)).grant_id for _ in range(2)]
    invoice = await books.invoice(customer_id, 1_000)

    with pytest.raises(ledger.BalanceTooLow):
        await books.use("renewal/1", invoice, (a, 100), (b, 101))

    assert await books.left(a) == await books.left(b) == 100
