"""Tokens of programs that use the API: made, found by their digest, revoked. The token itself is never stored."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, get_args

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.identifiers import new_id
from db.models.api import ApiToken

PREFIX = "evg_"
"""By which a token is recognized where it must not be: in logs, in a repository."""

RANDOM_BYTES = 32
USED_WITHIN = timedelta(minutes=1)
"""A later use within it is not written down."""

Scope = Literal["read", "subscriptions:write", "money:write", "imports:write", "updates:write", "keys:reveal"]
SCOPES: tuple[str, ...] = get_args(Scope)


class NameTaken(Exception):
    """A token of this name is in use."""


class UnknownToken(LookupError):
    """No token that is in use has this id or name."""


@dataclass(frozen=True)
class Made:
    """A token that was just made; shown once and never again."""

    id: str
    token: str


async def make(
    session: AsyncSession, name: str, scopes: Sequence[str], expires_at: datetime, by: str, at: datetime
) -> Made:
    """Make a token. Raises NameTaken."""
    made = Made(new_id("tok"), PREFIX + secrets.token_urlsafe(RANDOM_BYTES))
    row = insert(ApiToken).values(
        id=made.id,
        name=name,
        token_digest=_digest(made.token),
        scopes=list(dict.fromkeys(scopes)),
        created_by=by,
        at=at,
        expires_at=expires_at,
    )
    kept = await session.scalars(row.on_conflict_do_nothing().returning(ApiToken.id))
    if kept.one_or_none() is None:
        raise NameTaken(f"a token named {name!r} is in use: revoke it first, or take another name")
    await audit.record(
        session,
        actor=by,
        action="token_create",
        subject=made.id,
        at=at,
        details={"name": name, "scopes": list(scopes), "expires_at": expires_at.isoformat()},
    )
    return made


async def of(session: AsyncSession, token: str) -> ApiToken | None:
    """The row of a token, whether it may still be used or not; None for one that nobody made."""
    return (
        await session.scalars(select(ApiToken).where(ApiToken.token_digest == _digest(token)))
    ).one_or_none()


async def used(session: AsyncSession, found: ApiToken, now: datetime) -> None:
    """Note that it is used, to the minute."""
    if found.used_at is None or now - found.used_at > USED_WITHIN:
        await session.execute(update(ApiToken).where(ApiToken.id == found.id).values(used_at=now))


async def listing(session: AsyncSession, revoked_too: bool = False) -> Sequence[ApiToken]:
    """The tokens, newest first."""
    query = select(ApiToken).order_by(ApiToken.id.desc())
    if not revoked_too:
        query = query.where(ApiToken.revoked_at.is_(None))
    return (await session.scalars(query)).all()


async def revoke(session: AsyncSession, which: str, by: str, at: datetime) -> str:
    """Let the token of this id or name be of no use any more; its id. Raises UnknownToken."""
    query = select(ApiToken).where(
        (ApiToken.id == which) | (ApiToken.name == which), ApiToken.revoked_at.is_(None)
    )
    found = (await session.scalars(query.with_for_update())).one_or_none()
    if found is None:
        raise UnknownToken(f"no token in use is called {which!r}: `evergreen tokens` lists them")
    found.revoked_at, found.revoked_by = at, by
    await audit.record(session, actor=by, action="token_revoke", subject=found.id, at=at)
    return found.id


def _digest(token: str) -> bytes:
    """Plain SHA-256 is enough: a token has 256 random bits, there is nothing to guess."""
    return sha256(token.encode()).digest()
