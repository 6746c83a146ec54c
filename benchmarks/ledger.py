"""The database's share of a renewal: statements, settled renewals a second beside bare inserts, a long account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import event, select, text

from benchmarks import book
from benchmarks.figure import Figure, interleaved
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from db import ledger
from db.identifiers import new_id
from db.life import life_of
from db.models.order import Order
from db.models.subscription import Subscription
from db.subscriptions import Held, held_query
from domain import term
from domain.tasks import LicenseChange, Reminder, SettleRequest, TermRecord

AT_ONCE = 10
CREDIT_MINOR = 1_000_000
LOOKS = 200
_numbers = count(1)

PLAIN = """
CREATE TABLE IF NOT EXISTS plain_accounts (LIKE accounts INCLUDING INDEXES);
CREATE TABLE IF NOT EXISTS plain_movements (LIKE movements INCLUDING INDEXES);
CREATE TABLE IF NOT EXISTS plain_entries (LIKE entries INCLUDING INDEXES INCLUDING IDENTITY);
"""
"""The ledger's tables with their indexes, without checks, foreign keys and triggers: the floor writes there."""

INSERT_ACCOUNT = """
INSERT INTO plain_accounts (id, kind, currency, customer_id, balance_minor, recorded_at)
VALUES ($1, 'invoice', 'GBP', 'cus', 0, now())
"""
INSERT_MOVEMENT = """
INSERT INTO plain_movements (id, key, kind, subject, entry_count, fingerprint, at, recorded_at)
VALUES ($1, $2, $3, 'order', 3, $4, $5, now())
"""
INSERT_ENTRY = """
INSERT INTO plain_entries (movement_id, account_id, currency, amount_minor) VALUES ($1, $2, 'GBP', $3)
"""

LONG_ACCOUNT = """
WITH made AS (
    INSERT INTO movements (id, key, kind, subject, entry_count, fingerprint, at)
    SELECT 'long' || n, 'long/' || n, 'use', 'a long account', 2, sha256(n::text::bytea), now()
    FROM generate_series(1, :entries) AS n RETURNING id
)
INSERT INTO entries (movement_id, account_id, currency, amount_minor)
SELECT id, account_id, 'GBP', amount_minor FROM made,
    (VALUES (:account_id, -1), ('goodwill/GBP', 1)) AS posted (account_id, amount_minor)
"""


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Statements, settled renewals, a long account."""
    return [*await _statements(ground), *await _settled(size, ground), *await _long_account(size, ground)]


@dataclass
class Counted:
    """What went over the wire to PostgreSQL."""

    statements: int = 0
    transactions: int = 0


@asynccontextmanager
async def counting(ground: Ground) -> AsyncIterator[Counted]:
    """Count statements and transactions while the block runs."""
    counted = Counted()

    def statement(*_: object) -> None:
        counted.statements += 1

    def transaction(*_: object) -> None:
        counted.transactions += 1

    engine = ground.engine.sync_engine
    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", transaction)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", transaction)


async def _statements(ground: Ground) -> list[Figure]:
    """One renewal step by step, as the workflow asks for it: three reminders, settle, update, begin the term."""
    (held,) = await _due(ground, 1)
    acts, life, at = ground.activities, life_of(held, ground.settings.policy()), datetime.now(UTC)
    async with counting(ground) as settled:
        await acts["settle"](_settling(held, at))
    async with counting(ground) as rest:
        for days_before in (60, 30, 16):
            reminder = Reminder(
                subscription_id=life.subscription_id,
                term=life.term,
                days_before=days_before,
                plan=life.plan,
                at=at,
            )
            await acts["remind"](reminder)
        async with ground.sessions() as session:
            order_id = (
                await session.scalars(select(Order.id).where(Order.subscription_id == life.subscription_id))
            ).one()
        proof = await acts["update"](LicenseChange(order_id=order_id, at=at))
        await acts["begin_term"](
            TermRecord(
                subscription_id=life.subscription_id,
                order_id=order_id,
                proof=proof,
                next_term=term.next_term(life.term),
                auto_renew=True,
                at=at,
            )
        )
    statements = settled.statements + rest.statements - 1  # the look-up of the order's id is ours here
    transactions = settled.transactions + rest.transactions
    return [
        Figure(
            "the database",
            "SQL statements to settle, one transaction",
            "statements",
            settled.statements,
            at_most=10,
        ),
        Figure("the database", "SQL statements in a renewed term", "statements", statements),
        Figure("the database", "transactions in a renewed term", "transactions", transactions),
    ]


async def _settled(size: Size, ground: Ground) -> list[Figure]:
    async with ground.engine.begin() as connection:
        for statement in PLAIN.strip().split(";\n"):
            await connection.execute(text(statement.rstrip(";")))

    async def ours(at_once: int) -> float:
        held, at = await _due(ground, size.settled), datetime.now(UTC)
        settle = ground.activities["settle"]
        return await _rate([partial(settle, _settling(one, at)) for one in held], at_once)

    async def inserts(at_once: int) -> float:
        return await _rate([partial(_insert, ground)] * size.settled, at_once)

    rates = await interleaved(
        size.repeats, *(partial(way, at_once) for at_once in (1, AT_ONCE) for way in (ours, inserts))
    )
    floor_is = "bare INSERTs of the ledger's rows alone: an account, two movements, their entries"
    return [
        Figure(
            "the database",
            f"renewals settled from credit, {words}",
            "renewals/s",
            rate,
            floor,
            floor_is,
            label=f"settled, {words}",
        )
        for words, rate, floor in (
            ("one at a time", rates[0], rates[1]),
            (f"{AT_ONCE} at a time", rates[2], rates[3]),
        )
    ]


async def _long_account(size: Size, ground: Ground) -> list[Figure]:
    (held,) = await _due(ground, 1)
    async with ground.engine.begin() as connection:
        account_id = (
            await connection.execute(
                text("SELECT id FROM accounts WHERE customer_id = :id AND kind = 'grant'"),
                {"id": held.customer.id},
            )
        ).scalar_one()
        await connection.execute(text(LONG_ACCOUNT), {"entries": size.entries, "account_id": account_id})
        await connection.execute(text("ANALYZE entries"))

    async def looked(question: Callable[[Any], Awaitable[object]]) -> float:
        async with ground.sessions() as session:
            times = []
            for _ in range(LOOKS):
                began = perf_counter()
                await question(session)
                times.append((perf_counter() - began) * 1000)
        return median(times)

    async def summed(session: Any) -> None:
        left = CREDIT_MINOR - size.entries
        assert await ledger.balance_minor(session, account_id) == left

    async def kept(session: Any) -> None:
        query = text("SELECT balance_minor FROM accounts WHERE id = :id")
        await session.execute(query, {"id": account_id})

    async def nothing(session: Any) -> None:
        await session.execute(text("SELECT 1"))

    by_sum, by_row, floor = await interleaved(
        size.repeats, lambda: looked(summed), lambda: looked(kept), lambda: looked(nothing)
    )
    where = f"of an account with {size.entries:,} entries"
    return [
        Figure("the database", f"balance {where}, summed", "ms", by_sum, floor, "SELECT 1"),
        Figure("the database", f"balance {where}, as kept by the trigger", "ms", by_row, floor, "SELECT 1"),
    ]


async def _due(ground: Ground, number: int) -> list[Held]:
    intake_id = await book.store(ground, number, today() + timedelta(days=14), CREDIT_MINOR)
    async with ground.sessions() as session:
        query = held_query().where(Subscription.intake_id == intake_id)
        return [Held(*row) for row in (await session.execute(query)).all()]


def _settling(held: Held, at: datetime) -> SettleRequest:
    return SettleRequest(
        subscription_id=held.subscription.id,
        term=held.term,
        next_term=term.next_term(held.term),
        round=1,
        renews_on=today(),
        at=at,
    )


async def _insert(ground: Ground) -> None:
    """The rows of one settled renewal in the ledger, by the bare driver, and nothing that keeps them true."""
    number, at = next(_numbers), datetime.now(UTC)
    account = f"invoice/plain{number}"
    first, second = (new_id("movement"), new_id("movement"))
    movements = [(m, m, kind, bytes(32), at) for m, kind in ((first, "invoice"), (second, "use"))]
    entries = [
        (first, account, -240),
        (first, "revenue/GBP", 200),
        (first, "tax/GBP", 40),
        (second, "grant/plain", -240),
        (second, account, 240),
    ]
    async with ground.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        async with driver.transaction():
            await driver.execute(INSERT_ACCOUNT, account)
            await driver.executemany(INSERT_MOVEMENT, movements)
            await driver.executemany(INSERT_ENTRY, entries)


async def _rate(steps: Sequence[Callable[[], Awaitable[object]]], at_once: int) -> float:
    gate = asyncio.Semaphore(at_once)

    async def one(step: Callable[[], Awaitable[object]]) -> None:
        async with gate:
            await step()

    began = perf_counter()
    await asyncio.gather(*(one(step) for step in steps))
    return len(steps) / (perf_counter() - began)
