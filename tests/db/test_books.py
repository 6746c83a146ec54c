"""Reading the ledger: every penny can be followed, and a broken book is found (R17, R18)."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import books as reading
from db.books import Broken, TrialRow
from tests.db.bookkeeper import Bookkeeper

Sessions = async_sessionmaker[AsyncSession]


async def test_a_statement_shows_each_grants_movements_and_what_was_left(books: Bookkeeper) -> None:
    """R18: grant by grant, with the balance after each movement."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 20_000, reference="P-1")
    invoice = await books.invoice(customer_id, 18_000)
    await books.use("renewal/1", invoice, (granted.grant_id, 18_000))
    await books.reverse("renewal/1", "renewal/1/reversed")

    (statement,) = await books.statement(customer_id)

    assert (statement.reference, statement.amount_minor, statement.remaining_minor) == ("P-1", 20_000, 20_000)
    assert [(line.key, line.amount_minor, line.balance_minor) for line in statement.lines] == [
        ("grant/P-1", 20_000, 20_000),
        ("renewal/1", -18_000, 2_000),
        ("renewal/1/reversed", 18_000, 20_000),
    ]


async def test_the_trial_balance_sums_to_zero_in_each_currency(books: Bookkeeper, sessions: Sessions) -> None:
    """R17: what is on all accounts together is nothing."""
    customer_id = await books.customer()
    granted = await books.grant(customer_id, 20_000)
    await books.grant(customer_id, 700, "promotional", currency="EUR")
    invoice = await books.invoice(customer_id, 18_000)
    await books.use("renewal/1", invoice, (granted.grant_id, 18_000))

    async with sessions() as session:
        rows = await reading.trial_balance(session)

    assert rows == [
        TrialRow("grant", "EUR", 700, 1),
        TrialRow("promotions", "EUR", -700, 1),
        TrialRow("grant", "GBP", 2_000, 2),
        TrialRow("invoice", "GBP", 0, 2),
        TrialRow("purchases", "GBP", -20_000, 1),
        TrialRow("revenue", "GBP", 18_000, 1),
    ]


async def test_broken_books_are_found(books: Bookkeeper, engine: AsyncEngine, sessions: Sessions) -> None:
    """R17: what only somebody who switched the triggers off can do is seen by reconciliation."""
    granted = await books.grant(await books.customer(), 1_000, reference="P-1")
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text("UPDATE entries SET amount_minor = 900 WHERE amount_minor = 1000"))

    async with sessions() as session:
        account, movement = await reading.broken_accounts(session)

    assert account == Broken("account", f"grant/{granted.grant_id}", kept_minor=1_000, summed_minor=900)
    assert (movement.what, movement.summed_minor) == ("movement", -100)


async def test_a_customer_without_grants_has_an_empty_statement(books: Bookkeeper) -> None:
    assert await books.statement(await books.customer()) == []
