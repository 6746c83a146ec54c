"""Posting to the ledger: balanced movements between accounts, each under a key that is unique for ever (R17).

What an invoice, a charge or a grant is made of is the caller's; credits are in `db.grants`, reading the books
in `db.books`. Whoever posts keeps the accounts it touched locked until the transaction ends: a transaction
that posts more than once first locks the grants it will touch with `db.grants.usable_grants`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import DateTime, bindparam, func, select, text
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
class NewMovement:
    """A balanced set of postings under its key. Raises `MovementUnbalanced`."""

    key: str
    kind: MovementKind
    postings: tuple[Posting, ...]
    currency: str
    subject: str
    reverses_id: str | None = None

    def __post_init__(self) -> None:
        amounts = [posting.amount_minor for posting in self.postings]
        if len(amounts) < 2 or sum(amounts) != 0:
            raise MovementUnbalanced(f"{self.key}: {amounts}")

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the content: tells a repeat from a conflict."""
        amounts = sorted((posting.account_id, posting.amount_minor) for posting in self.postings)
        content = [self.kind, self.subject, self.currency, amounts]
        return sha256(json.dumps(content).encode()).digest()


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account of a customer that is to be there, empty."""

    id: str
    kind: Literal["grant", "invoice"]
    currency: str
    customer_id: str


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
    account = NewAccount(invoice_account(invoice_id), "invoice", currency, customer_id)
    await session.execute(insert(Account).values(**asdict(account), balance_minor=0).on_conflict_do_nothing())
    return account.id


# One statement, one round trip, for however many movements. The guarded accounts are locked in the order of their ids,
# so that movements over the same ones wait for each other instead of deadlocking; their balances are read under that
# lock. They are counted because EXISTS would stop before the last was locked. The table's own checks stand behind it.
_POST = text("""
WITH system AS (
    INSERT INTO accounts (id, kind, currency)
    SELECT new.kind || '/' || used.currency, new.kind, used.currency
    FROM unnest(CAST(:system_kinds AS text[])) AS new (kind), unnest(CAST(:currencies AS text[])) AS used (currency)
    WHERE NOT EXISTS (SELECT FROM accounts WHERE id = 'card/' || used.currency)
    ORDER BY used.currency, new.kind
    ON CONFLICT DO NOTHING
), opened AS (
    INSERT INTO accounts (id, kind, currency, customer_id, balance_minor)
    SELECT id, kind, currency, customer_id, 0
    FROM jsonb_to_recordset(CAST(:opens AS jsonb)) AS new (id text, kind text, currency text, customer_id text)
    ON CONFLICT DO NOTHING
), posted AS (
    SELECT * FROM unnest(
        CAST(:movements AS text[]), CAST(:accounts AS text[]), CAST(:amounts AS bigint[])
    ) WITH ORDINALITY AS posted (movement_id, account_id, amount_minor, position)
), locked AS MATERIALIZED (
    SELECT id, kind, balance_minor FROM accounts
    WHERE id = ANY(CAST(:accounts AS text[])) AND balance_minor IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE
), wanted AS (
    SELECT * FROM unnest(
        CAST(:ids AS text[]), CAST(:keys AS text[]), CAST(:kinds AS text[]), CAST(:subjects AS text[]),
        CAST(:counts AS integer[]), CAST(:fingerprints AS bytea[]), CAST(:reversed AS text[]),
        CAST(:currency_of AS text[])
    ) AS wanted (id, key, kind, subject, entry_count, fingerprint, reverses_id, currency)
), movement AS (
    INSERT INTO movements (id, key, kind, subject, entry_count, fingerprint, reverses_id, at)
    SELECT id, key, kind, subject, entry_count, fingerprint, reverses_id, :at FROM wanted
    WHERE 0 = (
        SELECT count(*) FILTER (WHERE CASE locked.kind
            WHEN 'grant' THEN balance_minor + total_minor < 0
            ELSE balance_minor + total_minor > 0 END)
        FROM locked
        JOIN (SELECT account_id, sum(amount_minor) AS total_minor FROM posted GROUP BY account_id) AS sums
        ON account_id = locked.id
    )
    ON CONFLICT DO NOTHING
    RETURNING id
)
INSERT INTO entries (movement_id, account_id, currency, amount_minor)
SELECT movement_id, account_id, currency, amount_minor
FROM movement JOIN wanted USING (id) JOIN posted ON movement_id = id ORDER BY position
RETURNING movement_id
""").bindparams(bindparam("at", type_=DateTime(timezone=True)))


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
    movement = NewMovement(key, kind, tuple(postings), currency, subject, reverses_id)
    (posted,) = await post_all(session, [movement], at=at)
    return posted


async def post_all(
    session: AsyncSession,
    movements: Sequence[NewMovement],
    *,
    at: datetime,
    opens: Sequence[NewAccount] = (),
) -> list[Posted]:
    """Post movements as if one after the other, after opening the accounts that are not there yet.

    One statement when all are new. Raises what `post` raises; then those before the one refused may be posted.
    """
    ids = [new_id("movement") for _ in movements]
    if not movements and not opens:
        return []
    rows = await session.execute(_POST, _values(ids, movements, at, opens))
    made = {row.movement_id for row in rows}
    if len(movements) > 1 and len(made) < len(movements):
        # Some were posted before, or one takes too much: which one shows when each is looked at by itself.
        return [
            Posted(id, new=True) if id in made else (await post_all(session, [movement], at=at))[0]
            for id, movement in zip(ids, movements, strict=True)
        ]
    return [
        Posted(id, new=True) if id in made else await _known(session, movement)
        for id, movement in zip(ids, movements, strict=True)
    ]


def _values(
    ids: Sequence[str], movements: Sequence[NewMovement], at: datetime, opens: Sequence[NewAccount]
) -> dict[str, Any]:
    postings = [
        (id, posting) for id, movement in zip(ids, movements, strict=True) for posting in movement.postings
    ]
    return {
        "at": at,
        "system_kinds": list(SYSTEM_KINDS),
        "currencies": sorted({movement.currency for movement in movements}),
        "opens": json.dumps([asdict(account) for account in opens]),
        "ids": ids,
        "keys": [movement.key for movement in movements],
        "kinds": [movement.kind for movement in movements],
        "subjects": [movement.subject for movement in movements],
        "counts": [len(movement.postings) for movement in movements],
        "fingerprints": [movement.fingerprint for movement in movements],
        "reversed": [movement.reverses_id for movement in movements],
        "currency_of": [movement.currency for movement in movements],
        "movements": [id for id, _ in postings],
        "accounts": [posting.account_id for _, posting in postings],
        "amounts": [posting.amount_minor for _, posting in postings],
    }


async def _known(session: AsyncSession, movement: NewMovement) -> Posted:
    """The movement that stands under the key of one that was not posted. Raises what `post` raises."""
    if (earlier := await find(session, movement.key)) is not None:
        if earlier.fingerprint != movement.fingerprint:
            raise EntryConflict(movement.key)
        return Posted(earlier.id, new=False)
    if movement.reverses_id is not None and await _reversed(session, movement.reverses_id):
        raise AlreadyReversed(movement.key)
    raise BalanceTooLow(movement.key)


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
