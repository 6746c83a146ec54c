"""Credit grants: putting credits on a customer's account and using them (R18, R19).

Which grants pay for what is decided in `domain.credits`; here it is locked, read and posted. What becomes of
the rest of a grant is in `db.remainders`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import ledger
from db.identifiers import new_id
from db.ledger import Posted, Posting, grant_account, system_account
from db.models.ledger import Account, CreditGrant
from domain.credits import Grant, GrantKind, Use


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
    priority: int = 50,
    for_subscription_id: str | None = None,
    source: Literal["purchases", "promotions", "card"] | None = None,
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
    if not await open_grant(session, made):
        return await _same(session, made)
    contra = system_account(source or ("purchases" if kind == "purchase" else "promotions"), currency)
    await ledger.post(
        session,
        key=f"grant/{reference}",
        kind="grant",
        postings=[Posting(contra, -amount_minor), Posting(grant_account(made.id), amount_minor)],
        currency=currency,
        at=at,
        subject=made.id,
    )
    return Granted(made.id, new=True)


async def usable_grants(
    session: AsyncSession, customer_id: str, currency: str, on: date, *, lock: bool = True
) -> list[Grant]:
    """The customer's grants with something left to use on the day, for `domain.credits.allocate` (R18).

    Locked, in the order of their accounts' ids, until the transaction ends, unless only a quote is wanted.
    Reads open accounts only: what was used up years ago costs nothing. One statement.
    """
    statement = (
        select(CreditGrant, Account.balance_minor)
        .join(Account, Account.id == CreditGrant.account_id)
        .where(
            Account.customer_id == customer_id,
            Account.kind == "grant",
            Account.currency == currency,
            Account.balance_minor != 0,
            or_(CreditGrant.expires_on.is_(None), CreditGrant.expires_on >= on),
        )
        .order_by(Account.id)
    )
    if lock:
        statement = statement.with_for_update(of=Account, key_share=True)
    return [
        Grant(
            id=row.CreditGrant.id,
            kind=row.CreditGrant.kind,
            remaining_minor=row.balance_minor,
            priority=row.CreditGrant.priority,
            expires_on=row.CreditGrant.expires_on,
            created_at=row.CreditGrant.created_at,
        )
        for row in await session.execute(statement)
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
    takes = [Posting(grant_account(str(use.grant_id)), -use.amount_minor) for use in uses]
    pays = Posting(invoice_account_id, sum(use.amount_minor for use in uses))
    return await ledger.post(
        session, key=key, kind="use", postings=[*takes, pays], currency=currency, at=at, subject=subject
    )


async def open_grant(session: AsyncSession, made: CreditGrant) -> bool:
    """Insert the grant and its empty account, both or (when the reference is taken) neither; tells which.

    What goes into it is for the caller to post, in the same transaction.
    """
    columns = [column.key for column in CreditGrant.__table__.columns if column.key != "recorded_at"]
    made.account_id = grant_account(made.id)
    grants = (
        insert(CreditGrant)
        .values({column: getattr(made, column) for column in columns})
        .on_conflict_do_nothing(index_elements=[CreditGrant.reference])
        .returning(CreditGrant.account_id, CreditGrant.currency, CreditGrant.customer_id)
        .cte("made")
    )
    accounts = (
        insert(Account)
        .from_select(
            ["id", "kind", "currency", "customer_id", "balance_minor"],
            select(
                grants.c.account_id, literal("grant"), grants.c.currency, grants.c.customer_id, literal(0)
            ),
        )
        .returning(Account.id)
    )
    return (await session.execute(accounts)).first() is not None


async def _same(session: AsyncSession, made: CreditGrant) -> Granted:
    by_reference = select(CreditGrant).where(CreditGrant.reference == made.reference)
    earlier = (await session.scalars(by_reference)).one()
    for column in ("customer_id", "kind", "currency", "amount_minor"):
        if getattr(earlier, column) != getattr(made, column):
            raise ReferenceTaken(f"{made.reference}: {column} was {getattr(earlier, column)}")
    return Granted(earlier.id, new=False)
