"""The book as it is at one instant, copied out of the live database by COPY in one read-only transaction.

Not the history: subscriptions that go on, whose they are, what is on their accounts, and orders that are under way. The
transaction is REPEATABLE READ READ ONLY, so that all tables are of the same instant and nothing can be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db import schema
from db.models.record import Record

GOES_ON = (
    "SELECT * FROM subscriptions WHERE state <> 'expired'"
    " AND NOT (state IN ('lapsed', 'refused') AND next_renews_on IS NULL)"
)
"""Lapsed and refused ones go on until their workflow has ended, which takes the next renewal date away."""

PARTS = {
    "subscription": f"{GOES_ON} AND {{piece}}",
    "customer": "SELECT * FROM customers WHERE id IN (SELECT customer_id FROM subscription)",
    "license": "SELECT * FROM licenses WHERE id IN (SELECT license_id FROM subscription)",
    # The renewals of the term that runs tell which attempt at it this is, also those that were taken back.
    "ordered": (
        "SELECT o.* FROM orders o JOIN subscription s ON s.id = o.subscription_id"
        " WHERE o.state IN ('open', 'paid') OR o.key LIKE s.id || '/' || s.expires_on || '/renewal/%'"
    ),
    "billed": "SELECT * FROM invoices WHERE order_id IN (SELECT id FROM ordered)",
    "moved": (
        "SELECT * FROM movements WHERE id IN"
        " (SELECT e.movement_id FROM entries e JOIN billed b ON b.account_id = e.account_id)"
    ),
    "entry": "SELECT * FROM entries WHERE movement_id IN (SELECT id FROM moved)",
    "account": (
        "SELECT * FROM accounts WHERE customer_id IS NULL OR id IN (SELECT account_id FROM billed)"
        " OR id IN (SELECT account_id FROM entry)"
        " OR (kind = 'grant' AND balance_minor <> 0 AND customer_id IN (SELECT id FROM customer))"
    ),
}
"""Each is a common table expression that those after it may name."""

TABLES = {
    "customers": "SELECT * FROM customer",
    "licenses": "SELECT * FROM license",
    "subscriptions": "SELECT * FROM subscription",
    "orders": "SELECT * FROM ordered",
    "invoice_series": "SELECT * FROM invoice_series",
    "invoices": "SELECT * FROM billed",
    "invoice_lines": "SELECT * FROM invoice_lines WHERE invoice_id IN (SELECT id FROM billed)",
    "payments": "SELECT * FROM payments WHERE invoice_id IN (SELECT id FROM billed)",
    "license_updates": "SELECT * FROM license_updates WHERE order_id IN (SELECT id FROM ordered)",
    # What was told of the term that runs is not told again.
    "notices": (
        "SELECT n.* FROM notices n JOIN subscription s"
        " ON s.id = n.subscription_id AND s.expires_on = n.term_expires_on"
    ),
    "accounts": "SELECT * FROM account",
    "movements": "SELECT * FROM moved",
    "entries": "SELECT * FROM entry",
    "credit_grants": "SELECT * FROM credit_grants WHERE account_id IN (SELECT id FROM account)",
}
"""Table → the rows of it that a forecast needs."""

DECLINED = (
    "SELECT c.id, last.decline_kind FROM customer c JOIN LATERAL ("
    "   SELECT p.status, p.decline_kind FROM payments p JOIN invoices i ON i.id = p.invoice_id"
    "   WHERE i.customer_id = c.id AND p.kind = 'charge' AND p.payment_method = c.card_token"
    "   ORDER BY p.recorded_at DESC, p.id DESC LIMIT 1"
    ") last ON last.status = 'declined' WHERE c.card_token IS NOT NULL"
)


class DatabaseBehind(Exception):
    """The live database has another schema than this code; the text says how to mend it."""


AT_A_TIME = 1_000
"""So many subscriptions are foreseen on one scratch stack: Temporal keeps their histories in memory."""


@dataclass(frozen=True)
class Snapshot:
    """A piece of the book, whole customers: a file of binary COPY for each table, and what is known of cards."""

    folder: Path
    at: datetime
    """The instant of which all tables are; what happens later is foreseen."""
    declined: dict[str, str]
    """Customer id → `soft` or `hard`: the last charge of the card they have was declined so."""

    def file(self, table: str) -> Path:
        """Where the rows of a table are."""
        return self.folder / f"{table}.copy"


async def take(live: AsyncEngine, folder: Path, at_a_time: int = AT_A_TIME) -> list[Snapshot]:
    """Copy the book into the folder, in pieces of about so many subscriptions, all of one instant.

    Customers are dealt to the pieces by a hash of their id. Memory does not grow with the book. Raises DatabaseBehind.
    """
    current = await schema.current_revision(live)
    if current != schema.head_revision():
        raise DatabaseBehind(
            f"the database is at migration {current or 'none'}: run `evergreen migrate` first"
        )
    folder.mkdir(mode=0o700, parents=True)
    async with live.connect() as plain:
        connected = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        at = (await connected.execute(text("SELECT now()"))).scalar_one()
        number = (await connected.execute(text(f"SELECT count(*) FROM ({GOES_ON}) AS book"))).scalar_one()  # noqa: S608  # ours
        pieces: list[Snapshot] = []
        for piece in _pieces(-(-number // at_a_time) or 1):
            rows = await connected.execute(text(_with(DECLINED, piece)))
            declined = {row.id: row.decline_kind for row in rows}
            pieces.append(taken := Snapshot(folder / str(len(pieces)), at, declined))
            taken.folder.mkdir()
            # In the transaction that the statement above has begun.
            driver: Any = (await connected.get_raw_connection()).driver_connection
            for table, query in TABLES.items():
                await driver.copy_from_query(
                    _rows(table, query, piece), output=taken.file(table), format="binary"
                )
        await connected.rollback()
    return pieces


async def put(snapshot: Snapshot, scratch: AsyncEngine) -> None:
    """Put the book into an empty database of the same schema.

    Triggers and foreign keys are off meanwhile: balances come with their accounts, and history is left behind.
    """
    async with scratch.connect() as connected:
        await connected.execute(text("SET session_replication_role = replica"))
        driver: Any = (await connected.get_raw_connection()).driver_connection
        for table in TABLES:
            await driver.execute(f"DELETE FROM {table}")  # noqa: S608  # names of ours
            await driver.copy_to_table(
                table, source=snapshot.file(table), columns=columns(table), format="binary"
            )
        await connected.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('entries', 'id'), coalesce(max(id), 0) + 1) FROM entries"
            )
        )
        await connected.execute(text("UPDATE subscriptions SET intake_id = NULL"))
        await connected.execute(text("SET session_replication_role = origin"))
        await connected.commit()


def _pieces(number: int) -> list[str]:
    """For each piece a condition on subscriptions."""
    return [f"(hashtext(customer_id) & 2147483647) % {number} = {one}" for one in range(number)]


def _with(query: str, piece: str) -> str:
    parts = ", ".join(f"{name} AS ({part.format(piece=piece)})" for name, part in PARTS.items())
    return f"WITH {parts} {query}"


def _rows(table: str, query: str, piece: str) -> str:
    """The columns are named: both databases were migrated, but perhaps not in the same steps."""
    selected = f"SELECT {', '.join(columns(table))} FROM ({query}) AS rows"  # noqa: S608  # names of ours
    return _with(selected, piece)


def columns(table: str) -> list[str]:
    """The columns of a table, in the order in which they are copied."""
    return [column.name for column in Record.metadata.tables[table].columns]
