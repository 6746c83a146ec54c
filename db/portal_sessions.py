"""Who is signed in, by the digest of what their cookie holds. Wall time throughout.

A session ends after a while in any case, sooner when it is not used; signing out everywhere ends all of a person's.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.customer import Customer
from db.models.sign_in import PortalSession
from db.sign_in_links import Person, Role, digest

LASTS = {"customer": timedelta(days=7), "staff": timedelta(hours=12)}
IDLE = {"customer": timedelta(hours=24), "staff": timedelta(hours=2)}
NOTED_EVERY = timedelta(minutes=1)
"""Being seen is written down no more often: a page that only reads does not write."""


@dataclass(frozen=True)
class SignedIn:
    """A session that is good now, and whose it is."""

    person: Person
    name: str
    """What they are called on a page."""
    email: str
    at: datetime
    seen_at: datetime
    flashes: Sequence[dict[str, Any]]


async def open_session(session: AsyncSession, person: Person, now: datetime) -> tuple[str, datetime]:
    """Sign the person in under a new token, for their cookie; and until when at most."""
    token = secrets.token_urlsafe(32)
    lapses_at = now + LASTS[person.kind]
    await session.execute(delete(PortalSession).where(PortalSession.lapses_at < now))
    session.add(
        PortalSession(
            token_digest=digest(token),
            person=person.kind,
            customer_id=person.customer_id,
            staff_email=person.staff_email,
            role=person.role,
            at=now,
            seen_at=now,
            lapses_at=lapses_at,
        )
    )
    return token, lapses_at


async def signed_in(session: AsyncSession, token: str, now: datetime) -> SignedIn | None:
    """Whose session the token is, if it is still good."""
    query = (
        select(PortalSession, Customer.name, Customer.email)
        .join(Customer, Customer.id == PortalSession.customer_id, isouter=True)
        .where(PortalSession.token_digest == digest(token), PortalSession.lapses_at > now)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None or row[0].seen_at + IDLE[row[0].person] <= now:
        return None
    kept, name, email = row
    role: Role | None = "ops" if kept.role == "ops" else "support" if kept.role else None
    person = Person(kept.customer_id, kept.staff_email, role)
    address: str = email or kept.staff_email or ""
    return SignedIn(person, name or address, address, kept.at, kept.seen_at, kept.flashes)


async def seen(session: AsyncSession, token: str, now: datetime, said: bool) -> None:
    """Note that the session is used; and, if so, that what it had to say is said."""
    statement = update(PortalSession).where(PortalSession.token_digest == digest(token))
    await session.execute(statement.values(seen_at=now, **({"flashes": []} if said else {})))


async def flash(session: AsyncSession, token: str, message: dict[str, Any]) -> None:
    """Have the next page say something at its top, once."""
    statement = update(PortalSession).where(PortalSession.token_digest == digest(token))
    added = cast([message], JSONB)
    await session.execute(statement.values(flashes=PortalSession.flashes.op("||")(added)))


async def close(session: AsyncSession, token: str) -> None:
    """Sign out this browser."""
    await session.execute(delete(PortalSession).where(PortalSession.token_digest == digest(token)))


async def close_all(session: AsyncSession, person: Person) -> int:
    """Sign the person out of every browser; how many there were."""
    ended = await session.scalars(
        delete(PortalSession).where(_theirs(person)).returning(PortalSession.token_digest)
    )
    return len(ended.all())


async def count(session: AsyncSession, person: Person, now: datetime) -> int:
    """In how many browsers the person is signed in."""
    query = (
        select(func.count()).select_from(PortalSession).where(_theirs(person), PortalSession.lapses_at > now)
    )
    return (await session.scalars(query)).one()


def _theirs(person: Person) -> ColumnElement[bool]:
    if person.customer_id is not None:
        return PortalSession.customer_id == person.customer_id
    return PortalSession.staff_email == person.staff_email
