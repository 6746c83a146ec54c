"""Posting to the ledger: balanced movements between accounts, each under a key that is unique for ever (R17).

What an invoice, a charge or a grant is made of is the caller's; credits are in `db.grants`, reading the books
in `db.books`. Whoever posts keeps the accounts it touched locked until the transaction ends: a transaction
that posts more than once first locks the grants it will touch with `db.grants.usable_grants`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from sqlalchemy import DateTime, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.identifiers import new_id
from db.models.ledger import SYSTEM_KINDS, Account, Entry, Movement

MovementKind = Literal["grant", "use", "invoice", "charge", "refund", "reverse", "expire", "convert", "void"]
SystemKind = Literal["card", "expired", "goodwill", "promotions", "purchases", "revenue", "tax"]


class EntryConflict(Exception):
    """The key is already taken by a movement with other content: a person must look."""


class BalanceTooLow(Exception):
    """A grant has less left, or an invoice less owed, than the movement would take."""


class MovementUnknown(LookupError):
    """No movement has this key."""


class MovementUnbalanced(ValueError):
    """The postings do not sum to zero, or there are fewer than two."""


class AlreadyReversed(Exception):
    """The movement was undone before, under another key (R20)."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount onto (above zero) or off (below zero) one account, in minor units."""

    account_id: str
    amount_minor: int

    def reversed(self) -> "Posting":
        """The same the other way round."""
        return Posting(self.account_id, -self.amount_minor)


@dataclass(frozen=True, slots=True)
class Posted:
    """The movement that now stands under the key, and whether it was made just now."""

    movement_id: str
    new: bool


def grant_account(grant_id: str) -> str:
    """Where what is left of a grant is kept."""
    return f"grant/{grant_id}"


def invoice_account(invoice_id: str) -> str:
    """Where what is owed on an invoice is kept, as a balance below zero."""
    return f"invoice/{invoice_id}"


def system_account(kind: SystemKind, currency: str) -> str:
    """One of ours; the first movement in its currency makes it."""
    return f"{kind}/{currency}"


async def open_invoice_account(
    session: AsyncSession, invoice_id: str, *, customer_id: str, currency: str
) -> str:
    """Make the invoice's account, empty, unless it is there; answers its id."""
    account_id = invoice_account(invoice_id)
    await session.execute(
        insert(Account)
        .values(id=account_id, kind="invoice", currency=currency, customer_id=customer_id, balance_minor=0)
        .on_conflict_do_nothing()
    )
    return account_id


# One statement, one round trip. The guarded accounts are locked in the order of their ids, so that movements
# over the same ones wait for each other instead of deadlocking; their balances are read under that lock. They are
# counted because EXISTS would stop before the last was locked. The table's own checks stand behind it.
_POST = text("""
WITH system AS (
    INSERT INTO accounts (id, kind, currency)
    SELECT kind || '/' || :currency, kind, :currency
    FROM unnest(CAST(:system_kinds AS text[])) AS kind
    WHERE NOT EXISTS (SELECT FROM accounts WHERE id = 'card/' || :currency)
    ORDER BY kind
    ON CONFLICT DO NOTHING
), posted AS (
    SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:amounts AS bigint[]))
    WITH ORDINALITY AS posted (account_id, amount_minor, position)
), locked AS MATERIALIZED (
    SELECT id, kind, balance_minor FROM accounts
    WHERE id = ANY(CAST(:accounts AS text[])) AND balance_minor IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE
), movement AS (
    INSERT INTO movements (id, key, kind, subject, entry_count, fingerprint, reverses_id, at)
    SELECT :id, :key, :kind, :subject, cardinality(CAST(:accounts AS text[])), :fingerprint, :reverses_id, :at
    WHERE 0 = (
        SELECT count(*) FILTER (WHERE CASE locked.kind
            WHEN 'grant' THEN balance_minor + amount_minor < 0
            ELSE balance_minor + amount_minor > 0 END)
        FROM locked JOIN posted ON account_id = locked.id
    )
    ON CONFLICT DO NOTHING
    RETURNING id
)
INSERT INTO entries (movement_id, account_id, currency, amount_minor)
SELECT movement.id, account_id, :currency, amount_minor FROM movement, posted ORDER BY position
RETURNING movement_id
""").bindparams(bindparam("at", type_=DateTime(timezone=True)), bindparam("reverses_id", type_=Text))


async def post(
    session: AsyncSession,
    *,
    key: str,
    kind: MovementKind,
    postings: Sequence[Posting],
    currency: str,
    at: datetime,
    subject: str,
    reverses_id: str | None = None,
) -> Posted:
    """Post one movement, once: the same content under the same key again has no effect (R17, R25).

    `at` is not content: a repeat keeps the first. Raises `EntryConflict`, `BalanceTooLow`, `AlreadyReversed`
    and `MovementUnbalanced`; the session stays usable after each. One statement; a repeat takes two.
    """
    if len(postings) < 2 or sum(posting.amount_minor for posting in postings) != 0:
        raise MovementUnbalanced(f"{key}: {[posting.amount_minor for posting in postings]}")
    fingerprint = _fingerprint(kind, subject, currency, postings)
    values = {
        "id": new_id("movement"),
        "key": key,
        "kind": kind,
        "subject": subject,
        "fingerprint": fingerprint,
        "reverses_id": reverses_id,
        "at": at,
        "currency": currency,
        "accounts": [posting.account_id for posting in postings],
        "amounts": [posting.amount_minor for posting in postings],
        "system_kinds": list(SYSTEM_KINDS),
    }
    posted = (await session.execute(_POST, values)).first()
    if posted is not None:
        return Posted(posted.movement_id, new=True)
    if (earlier := await find(session, key)) is not None:
        if earlier.fingerprint != fingerprint:
            raise EntryConflict(key)
        return Posted(earlier.id, new=False)
    if reverses_id is not None and await _reversed(session, reverses_id):
        raise AlreadyReversed(key)
    raise BalanceTooLow(key)


async def reverse(session: AsyncSession, movement_key: str, *, key: str, at: datetime) -> Posted:
    """Post the exact opposite of a movement, account by account: credits go back where they came from (R20).

    A movement is reversed once. Raises `MovementUnknown`, and what `post` raises.
    """
    statement = (
        select(Movement.id, Movement.subject, Entry.account_id, Entry.amount_minor, Entry.currency)
        .join(Entry, Entry.movement_id == Movement.id)
        .where(Movement.key == movement_key)
        .order_by(Entry.id)
    )
    rows = (await session.execute(statement)).all()
    if not rows:
        raise MovementUnknown(movement_key)
    return await post(
        session,
        key=key,
        kind="reverse",
        postings=[Posting(row.account_id, row.amount_minor).reversed() for row in rows],
        currency=rows[0].currency,
        at=at,
        subject=rows[0].subject,
        reverses_id=rows[0].id,
    )


async def find(session: AsyncSession, key: str) -> Movement | None:
    """The movement under this key, if there is one."""
    return (await session.scalars(select(Movement).where(Movement.key == key))).one_or_none()


async def balance_minor(session: AsyncSession, account_id: str) -> int:
    """Minor units on the account: the sum of its entries (R17)."""
    total = select(func.coalesce(func.sum(Entry.amount_minor), 0)).where(Entry.account_id == account_id)
    return int((await session.scalars(total)).one())


async def _reversed(session: AsyncSession, movement_id: str) -> bool:
    reversal = select(Movement.id).where(Movement.reverses_id == movement_id)
    return (await session.scalars(reversal)).first() is not None


def _fingerprint(kind: str, subject: str, currency: str, postings: Sequence[Posting]) -> bytes:
    amounts = sorted((posting.account_id, posting.amount_minor) for posting in postings)
    return sha256(json.dumps([kind, subject, currency, amounts]).encode()).digest()
