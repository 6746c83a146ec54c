"""What PostgreSQL itself refuses, whoever writes to the ledger: no Python of ours in between (R17)."""

import re
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.db.bookkeeper import Bookkeeper

MOVEMENT = (
    "INSERT INTO movements (id, key, kind, subject, entry_count, fingerprint, at)"
    " VALUES ('m', 'by hand', 'use', 's', {count}, sha256('x'), now())"
)
ENTRY = (
    "INSERT INTO entries (movement_id, account_id, currency, amount_minor)"
    " VALUES ('m', '{account}', '{currency}', {amount})"
)


async def run(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


def refused(constraint: str) -> "pytest.RaisesExc[IntegrityError]":
    return pytest.raises(IntegrityError, match=re.escape(constraint))


@pytest.fixture
async def pounds(books: Bookkeeper, engine: AsyncEngine) -> Sequence[str]:
    """Two grants of £10.00 each and the accounts of a currency."""
    customer_id = await books.customer()
    return [f"grant/{(await books.grant(customer_id, 1_000)).grant_id}" for _ in range(2)]


@pytest.mark.parametrize(
    ("table", "column"), [("entries", "amount_minor"), ("movements", "at"), ("credit_grants", "amount_minor")]
)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
async def test_what_was_posted_cannot_be_changed(
    engine: AsyncEngine, pounds: Sequence[str], table: str, column: str, change: str
) -> None:
    """R17: append-only; the error names the rule."""
    with refused("append-only (R17)"):
        await run(engine, change.format(table, column))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE kind = 'grant'",
        "UPDATE accounts SET balance_minor = NULL, customer_id = NULL, kind = 'card' WHERE kind = 'grant'",
        "UPDATE accounts SET currency = 'EUR'",
        "DELETE FROM accounts",
        "INSERT INTO accounts (id, kind, currency, customer_id, balance_minor)"
        " SELECT 'grant/gift', 'grant', 'GBP', id, 100 FROM customers",
    ],
)
async def test_a_balance_cannot_be_set_by_hand(
    engine: AsyncEngine, pounds: Sequence[str], change: str
) -> None:
    """R17: a balance is the sum of its entries and changes by them only."""
    with refused("only entries change it (R17)"):
        await run(engine, change)


async def test_accounts_cannot_be_truncated(engine: AsyncEngine, pounds: Sequence[str]) -> None:
    with refused("append-only (R17)"):
        await run(engine, "TRUNCATE accounts CASCADE")


@pytest.mark.parametrize(
    ("amounts", "constraint"),
    [
        ((-100, 99), "do not sum to zero (R17)"),
        ((-100,), "more or fewer entries than it says (R17)"),
        ((), "more or fewer entries than it says (R17)"),
    ],
)
async def test_an_unbalanced_movement_is_refused_at_commit(
    engine: AsyncEngine, pounds: Sequence[str], amounts: tuple[int, ...], constraint: str
) -> None:
    """R17: every movement sums to zero and has the two entries it says, or nothing of it stands."""
    entries = [
        ENTRY.format(account=account, currency="GBP", amount=amount)
        for account, amount in zip(pounds, amounts, strict=False)
    ]
    with refused(constraint):
        await run(engine, MOVEMENT.format(count=2), *entries)


async def test_each_currency_balances_by_itself(engine: AsyncEngine, books: Bookkeeper) -> None:
    """R17: a pound given is not a euro taken."""
    customer_id = await books.customer()
    await books.grant(customer_id, 1_000, currency="GBP")
    await books.grant(customer_id, 1_000, currency="EUR")
    with refused("do not sum to zero (R17)"):
        await run(
            engine,
            MOVEMENT.format(count=2),
            ENTRY.format(account="revenue/GBP", currency="GBP", amount=100),
            ENTRY.format(account="revenue/EUR", currency="EUR", amount=-100),
        )


async def test_an_entry_has_the_currency_of_its_account(engine: AsyncEngine, pounds: Sequence[str]) -> None:
    with refused("fk_entries_account_id_currency"):
        await run(
            engine,
            MOVEMENT.format(count=2),
            ENTRY.format(account=pounds[0], currency="EUR", amount=-100),
            ENTRY.format(account=pounds[1], currency="EUR", amount=100),
        )


async def test_a_movement_takes_no_entries_later(engine: AsyncEngine, pounds: Sequence[str]) -> None:
    """R17: a balanced pair added to an old movement would rewrite history."""
    a, b = pounds
    await run(
        engine,
        MOVEMENT.format(count=2),
        ENTRY.format(account=a, currency="GBP", amount=-100),
        ENTRY.format(account=b, currency="GBP", amount=100),
    )
    with refused("more or fewer entries than it says (R17)"):
        await run(
            engine,
            ENTRY.format(account="revenue/GBP", currency="GBP", amount=-100),
            ENTRY.format(account="goodwill/GBP", currency="GBP", amount=100),
        )


async def test_the_table_refuses_an_overdrawn_grant(engine: AsyncEngine, pounds: Sequence[str]) -> None:
    """R17: the check stands behind the lock, for whoever posts without it."""
    a, b = pounds
    with refused("ck_accounts_grant_not_overdrawn"):
        await run(
            engine,
            MOVEMENT.format(count=2),
            ENTRY.format(account=a, currency="GBP", amount=-1_001),
            ENTRY.format(account=b, currency="GBP", amount=1_001),
        )


async def test_the_table_refuses_an_overpaid_invoice(engine: AsyncEngine, books: Bookkeeper) -> None:
    invoice = await books.invoice(await books.customer(), 100)
    with refused("ck_accounts_invoice_not_overpaid"):
        await run(
            engine,
            MOVEMENT.format(count=2),
            ENTRY.format(account=invoice, currency="GBP", amount=101),
            ENTRY.format(account="card/GBP", currency="GBP", amount=-101),
        )


@pytest.mark.parametrize(
    ("columns", "values", "constraint"),
    [
        ("id, kind, currency", "'revenue/gbp', 'revenue', 'gbp'", "ck_accounts_currency_iso"),
        ("id, kind, currency", "'income/GBP', 'income', 'GBP'", "ck_accounts_kind_known"),
        ("id, kind, currency", "'revenue/EUR', 'revenue', 'GBP'", "ck_accounts_id_of_kind"),
        ("id, kind, currency", "'grant/1', 'grant', 'GBP'", "ck_accounts_balance_if_guarded"),
        (
            "id, kind, currency, balance_minor",
            "'grant/1', 'grant', 'GBP', 0",
            "ck_accounts_customer_if_guarded",
        ),
        (
            "id, kind, currency, balance_minor",
            "'card/GBP', 'card', 'GBP', 0",
            "ck_accounts_balance_if_guarded",
        ),
    ],
)
async def test_an_account_is_of_a_known_kind_and_named_for_it(
    engine: AsyncEngine, columns: str, values: str, constraint: str
) -> None:
    with refused(constraint):
        await run(engine, f"INSERT INTO accounts ({columns}) VALUES ({values})")
