"""Writes under an Idempotency-Key: the same again gets the same answer, and has one effect.

A claim is a lease, committed before anything is done. Whoever dies leaves it to run out; the same request then goes
on, under the same request id, so that what was done before counts once all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.api import ApiWrite

LEASE = timedelta(seconds=120)
"""Longer than any write takes."""

KEPT = timedelta(days=30)
"""How long an answer is remembered."""

FORGOTTEN_AT_ONCE = 100


class KeyUsedOtherwise(Exception):
    """The key stands for another request."""


class UnderWay(Exception):
    """The same request is being done at this moment."""


@dataclass(frozen=True)
class Answered:
    """What was answered the first time."""

    status: int
    body: dict[str, Any]
    location: str | None


async def claim(
    session: AsyncSession, token_id: str, key: str, fingerprint: bytes, now: datetime
) -> Answered | None:
    """The answer that was given before, or None: do it now. Commit before doing it.

    Raises KeyUsedOtherwise, UnderWay.
    """
    row = insert(ApiWrite).values(
        token_id=token_id, key=key, fingerprint=fingerprint, at=now, leased_until=now + LEASE
    )
    made = await session.scalars(row.on_conflict_do_nothing().returning(ApiWrite.key))
    if made.one_or_none() is not None:
        await _forget(session, now)
        return None
    query = select(ApiWrite).where(*_is(token_id, key)).with_for_update()
    known = (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()
    if known is None:  # given up by its owner this very moment
        raise UnderWay
    if known.fingerprint != fingerprint:
        raise KeyUsedOtherwise
    if known.status is not None:
        return Answered(known.status, known.body or {}, known.location)
    if known.leased_until > now:
        raise UnderWay
    known.leased_until = now + LEASE
    return None


async def answered(
    session: AsyncSession,
    token_id: str,
    key: str,
    status: int,
    body: dict[str, Any],
    location: str | None,
    now: datetime,
) -> None:
    """Keep the answer: in the transaction of the change itself, where the change has no key of its own."""
    await session.execute(
        update(ApiWrite)
        .where(*_is(token_id, key), ApiWrite.status.is_(None))
        .values(status=status, body=body, location=location, answered_at=now)
    )


async def give_up(session: AsyncSession, token_id: str, key: str) -> None:
    """Nothing was decided: the same key may be used for a request that is mended."""
    await session.execute(delete(ApiWrite).where(*_is(token_id, key), ApiWrite.status.is_(None)))


async def release(session: AsyncSession, token_id: str, key: str) -> None:
    """It is not known what was decided: the very same request may go on at once, no other may use the key."""
    await session.execute(
        update(ApiWrite).where(*_is(token_id, key), ApiWrite.status.is_(None)).values(leased_until=func.now())
    )


async def _forget(session: AsyncSession, now: datetime) -> None:
    """Some of what nobody asks for any more, at every new write."""
    old = (
        select(ApiWrite.token_id, ApiWrite.key)
        .where(ApiWrite.at < now - KEPT)
        .limit(FORGOTTEN_AT_ONCE)
        .with_for_update(skip_locked=True)
        .subquery()
    )
    await session.execute(
        delete(ApiWrite)
        .where(ApiWrite.token_id == old.c.token_id, ApiWrite.key == old.c.key)
        .execution_options(synchronize_session=False)
    )


def _is(token_id: str, key: str) -> tuple[Any, Any]:
    return ApiWrite.token_id == token_id, ApiWrite.key == key
