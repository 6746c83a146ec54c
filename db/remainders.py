"""What becomes of the rest of a grant: it turns promotional (R19), or it expires (R18)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import ledger
from db.grants import Granted, open_grants
from db.identifiers import new_id
from db.ledger import Posting, grant_account, system_account
from db.models.ledger import Account, CreditGrant, Entry


class GrantUnknown(LookupError):
    """No credit grant has this id."""


class NotExpired(Exception):
    """The grant is usable on that day still (R18)."""


class NotAPurchase(Exception):
    """Only what is left of a purchase becomes promotional credit (R19)."""


@dataclass(frozen=True, slots=True)
class _Rest:
    grant: CreditGrant
    remaining_minor: int
    last_entry_id: int


async def convert(
    session: AsyncSession,
    grant_id: str,
    *,
    reference: str,
    reason: str,
    by: str,
    at: datetime,
    expires_on: date | None = None,
) -> Granted | None:
    """Turn what is left of a purchase into a promotional grant (R19); None when nothing is left.

    The same reference again answers the grant it made. Raises `GrantUnknown`, `NotAPurchase`.
    """
    rest = await _rest(session, grant_id)
    if rest.grant.kind != "purchase":
        raise NotAPurchase(grant_id)
    by_reference = select(CreditGrant.id).where(CreditGrant.reference == reference)
    if (earlier := (await session.scalars(by_reference)).one_or_none()) is not None:
        return Granted(earlier, new=False)
    if not rest.remaining_minor:
        return None
    made = CreditGrant(
        id=new_id("grant"),
        customer_id=rest.grant.customer_id,
        kind="promotional",
        currency=rest.grant.currency,
        amount_minor=rest.remaining_minor,
        priority=rest.grant.priority,
        expires_on=expires_on,
        reference=reference,
        reason=reason,
        granted_by=by,
        created_at=at,
    )
    await open_grants(session, [made])
    await ledger.post(
        session,
        key=f"convert/{reference}",
        kind="convert",
        postings=[
            Posting(grant_account(grant_id), -rest.remaining_minor),
            Posting(grant_account(made.id), rest.remaining_minor),
        ],
        currency=made.currency,
        at=at,
        subject=grant_id,
    )
    return Granted(made.id, new=True)


async def expire(session: AsyncSession, grant_id: str, *, on: date, at: datetime) -> int:
    """Take what is left of a grant that expired before the day; answers the minor units taken, or 0 (R18).

    Raises `GrantUnknown`, `NotExpired`.
    """
    rest = await _rest(session, grant_id)
    if rest.grant.expires_on is None or rest.grant.expires_on >= on:
        raise NotExpired(grant_id)
    if rest.remaining_minor:
        # Named after the last entry before it: credits put back later (R20) expire under a key of their own.
        await ledger.post(
            session,
            key=f"expire/{grant_id}/{rest.last_entry_id}",
            kind="expire",
            postings=[
                Posting(grant_account(grant_id), -rest.remaining_minor),
                Posting(system_account("expired", rest.grant.currency), rest.remaining_minor),
            ],
            currency=rest.grant.currency,
            at=at,
            subject=grant_id,
        )
    return rest.remaining_minor


async def expired_grants(session: AsyncSession, on: date, *, limit: int = 500) -> list[str]:
    """Ids of grants that expired before the day and still hold something, soonest expiry first."""
    statement = (
        select(CreditGrant.id)
        .join(Account, Account.id == CreditGrant.account_id)
        .where(Account.kind == "grant", Account.balance_minor != 0, CreditGrant.expires_on < on)
        .order_by(CreditGrant.expires_on, CreditGrant.id)
        .limit(limit)
    )
    return list(await session.scalars(statement))


async def _rest(session: AsyncSession, grant_id: str) -> _Rest:
    """What is left of the grant, locked until the transaction ends."""
    account = select(Account.balance_minor).where(Account.id == grant_account(grant_id))
    remaining_minor = await session.scalar(account.with_for_update(key_share=True))
    if remaining_minor is None:
        raise GrantUnknown(grant_id)
    last_entry_id = (
        select(func.max(Entry.id)).where(Entry.account_id == CreditGrant.account_id).scalar_subquery()
    )
    facts = select(CreditGrant, last_entry_id).where(CreditGrant.id == grant_id)
    found, last = (await session.execute(facts)).one()
    return _Rest(found, remaining_minor, last)
