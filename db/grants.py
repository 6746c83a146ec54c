"""Credit grants: putting credits on a customer's account and using them (R18, R19).

Which grants pay for what is decided in `domain.credits`; here it is locked, read and posted. What becomes of
the rest of a grant is in `db.remainders`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import bindparam, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db import ledger
from db.identifiers import new_id
from db.ledger import NewMovement, Posted, Posting, grant_account, system_account
from db.models.ledger import Account, CreditGrant
from domain.credits import DEFAULT_PRIORITY, Grant, GrantKind, Use

Source = Literal["purchases", "promotions", "card"]
"""The account of ours that a grant comes from: by its kind purchases or promotions; the card that took no refund."""


class ReferenceTaken(Exception):
    """The reference was used for a grant of another amount, currency, kind or customer."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The grant that stands under the reference, and whether it was made just now."""

    grant_id: str
    new: bool


async def grant(
    session: AsyncSession,
    customer_id: str,
    kind: GrantKind,
    amount_minor: int,
    currency: str,
    *,
    reference: str,
    reason: str,
    by: str,
    at: datetime,
    expires_on: date | None = None,
    priority: int = DEFAULT_PRIORITY,
    for_subscription_id: str | None = None,
    source: Source | None = None,
) -> Granted:
    """Put an amount on a customer's account; the same purchase reference again grants nothing (R19).

    `source` is the account of ours that it comes from: purchases or promotions, by its kind, unless given.
    Raises `ReferenceTaken`. Two statements; a repeat takes two.
    """
    made = CreditGrant(
        id=new_id("grant"),
        customer_id=customer_id,
        kind=kind,
        currency=currency,
        amount_minor=amount_minor,
        priority=priority,
        expires_on=expires_on,
        reference=reference,
        reason=reason,
        granted_by=by,
        for_subscription_id=for_subscription_id,
        created_at=at,
    )
    (granted,) = await grant_all(session, [made], source)
    return granted


async def grant_all(
    session: AsyncSession, made: Sequence[CreditGrant], source: Source | None = None
) -> list[Granted]:
    """Put amounts on customers' accounts, each once; two statements however many, two more for each repeat.

    `source` as in `grant`. Raises `ReferenceTaken`.
    """
    if not made:
        return []
    opened = await open_grants(session, made)
    movements = [_granting(one, source) for one in made if one.id in opened]
    await ledger.post_all(session, movements, at=made[0].created_at)
    return [Granted(one.id, new=True) if one.id in opened else await _same(session, one) for one in made]


def _granting(made: CreditGrant, source: Source | None) -> NewMovement:
    kind = source or ("purchases" if made.kind == "purchase" else "promotions")
    contra = system_account(kind, made.currency)
    postings = (Posting(contra, -made.amount_minor), Posting(grant_account(made.id), made.amount_minor))
    return NewMovement(f"grant/{made.reference}", "grant", postings, made.currency, subject=made.id)


_USABLE = (
    select(CreditGrant, Account.balance_minor)
    .join(Account, Account.id == CreditGrant.account_id)
    .where(
        Account.customer_id == bindparam("customer_id"),
        Account.kind == "grant",
        Account.currency == bindparam("currency"),
        Account.balance_minor != 0,
        or_(CreditGrant.expires_on.is_(None), CreditGrant.expires_on >= bindparam("on")),
    )
    .order_by(Account.id)
)
_USABLE_LOCKED = _USABLE.with_for_update(of=Account, key_share=True)


async def usable_grants(
    session: AsyncSession, customer_id: str, currency: str, on: date, *, lock: bool = True
) -> list[Grant]:
    """The customer's grants with something left to use on the day, for `domain.credits.allocate` (R18).

    Locked, in the order of their accounts' ids, until the transaction ends, unless only a quote is wanted.
    Reads open accounts only: what was used up years ago costs nothing. One statement.
    """
    rows = await session.execute(
        _USABLE_LOCKED if lock else _USABLE, {"customer_id": customer_id, "currency": currency, "on": on}
    )
    return [
        Grant(
            id=row.CreditGrant.id,
            kind=row.CreditGrant.kind,
            remaining_minor=row.balance_minor,
            priority=row.CreditGrant.priority,
            expires_on=row.CreditGrant.expires_on,
            created_at=row.CreditGrant.created_at,
            bought_for=row.CreditGrant.for_subscription_id,
        )
        for row in rows
    ]


async def use(
    session: AsyncSession,
    *,
    key: str,
    uses: Sequence[Use],
    invoice_account_id: str,
    currency: str,
    at: datetime,
    subject: str,
) -> Posted:
    """Pay (part of) an invoice with credits: one entry for each grant touched, one on the invoice (R18).

    Raises what `ledger.post` raises: `BalanceTooLow` when a grant has less left or the invoice less owed. One
    statement.
    """
    movement = using(key, uses, invoice_account_id, currency, subject)
    (posted,) = await ledger.post_all(session, [movement], at=at)
    return posted


def using(key: str, uses: Sequence[Use], invoice_account_id: str, currency: str, subject: str) -> NewMovement:
    """What `use` posts: one entry for each grant touched, one on the invoice (R18)."""
    takes = [Posting(grant_account(str(use.grant_id)), -use.amount_minor) for use in uses]
    pays = Posting(invoice_account_id, sum(use.amount_minor for use in uses))
    return NewMovement(key, "use", (*takes, pays), currency, subject)


_OPEN = text("""
WITH made AS (
    INSERT INTO credit_grants (
        id, customer_id, account_id, kind, currency, amount_minor, priority, expires_on, reference, reason,
        granted_by, for_subscription_id, created_at
    )
    SELECT
        id, customer_id, account_id, kind, currency, amount_minor, priority, expires_on, reference, reason,
        granted_by, for_subscription_id, created_at
    FROM jsonb_populate_recordset(NULL::credit_grants, CAST(:grants AS jsonb))
    ON CONFLICT (reference) DO NOTHING
    RETURNING account_id, currency, customer_id
)
INSERT INTO accounts (id, kind, currency, customer_id, balance_minor)
SELECT account_id, 'grant', currency, customer_id, 0 FROM made
RETURNING id
""")


async def open_grants(session: AsyncSession, made: Sequence[CreditGrant]) -> set[str]:
    """Insert each grant and its empty account, both or (when the reference is taken) neither; ids of the inserted.

    What goes into them is for the caller to post, in the same transaction. One statement.
    """
    for one in made:
        one.account_id = grant_account(one.id)
    columns = [column.key for column in CreditGrant.__table__.columns if column.key != "recorded_at"]
    rows = [{column: getattr(one, column) for column in columns} for one in made]
    opened = await session.execute(_OPEN, {"grants": json.dumps(rows, default=_iso)})
    accounts = {row.id for row in opened}
    return {one.id for one in made if one.account_id in accounts}


def _iso(value: date) -> str:
    """A date, or an instant, as PostgreSQL reads it."""
    return value.isoformat()


async def _same(session: AsyncSession, made: CreditGrant) -> Granted:
    by_reference = select(CreditGrant).where(CreditGrant.reference == made.reference)
    earlier = (await session.scalars(by_reference)).one()
    for column in ("customer_id", "kind", "currency", "amount_minor"):
        if getattr(earlier, column) != getattr(made, column):
            raise ReferenceTaken(f"{made.reference}: {column} was {getattr(earlier, column)}")
    return Granted(earlier.id, new=False)
