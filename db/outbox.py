"""The outbox from the sender's side: which notices are due, and what became of them (R6).

At most one sender has a notice at a time: a claim is a lease, written as a `next_attempt_at` in the future and
committed before anything is sent, so no transaction is open while a mail server is talked to. A sender that dies
leaves its lease to run out. What is promised is *at least once* towards the mail server: a sender that dies
between the server's yes and `sent` has the notice sent again by the next one. The repeat carries the same Message-ID,
made from the notice's id (`notices.mailer`), so it can be recognized; and there is only ever one row.

A notice that is given up stays unsent with a `next_attempt_at` that never comes. It is counted by `failing` and
listed by `given_up` until somebody has it tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.customer import Customer
from db.models.notice import Notice
from db.notices import Audience

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""The `next_attempt_at` of a notice that is given up. Not PostgreSQL's infinity: Python cannot read that back."""

LEASE = timedelta(minutes=5)

Age = Literal["hour", "day", "older", "given_up"]


@dataclass(frozen=True)
class Claimed:
    """A notice that is ours to send until `leased_until`, and whom it is for. Address and name are never logged."""

    id: str
    kind: str
    audience: Audience
    subscription_id: str | None
    facts: dict[str, Any] = field(repr=False)
    customer_email: str | None = field(repr=False)
    customer_name: str = field(repr=False)
    """Empty, where it is about no customer."""
    to_email: str | None = field(repr=False)
    """One person's address, instead of the customer's or that of all staff."""
    attempts: int
    """This one included. No two claims of a notice have the same."""
    written_at: datetime
    """Wall time."""
    leased_until: datetime


async def claim(session: AsyncSession, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Claimed]:
    """Take up to so many unsent notices that are due, longest due first; those of other senders are passed over.

    Commit before sending. One statement.
    """
    due = (
        select(Notice.id, Customer.email, Customer.name)
        .join(Customer, Customer.id == Notice.customer_id, isouter=True)
        .where(Notice.sent_at.is_(None), Notice.next_attempt_at <= now)
        .order_by(Notice.next_attempt_at, Notice.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Notice)
        .cte("due")
    )
    statement = (
        update(Notice)
        .where(Notice.id == due.c.id)
        .values(attempts=Notice.attempts + 1, next_attempt_at=now + lease)
        .returning(
            Notice.id,
            Notice.kind,
            Notice.audience,
            Notice.subscription_id,
            Notice.facts,
            due.c.email,
            func.coalesce(due.c.name, ""),
            Notice.to_email,
            Notice.attempts,
            Notice.recorded_at,
            Notice.next_attempt_at,
        )
        .execution_options(synchronize_session=False)
    )
    rows = (await session.execute(statement)).all()
    return sorted((Claimed(*row) for row in rows), key=lambda claimed: claimed.id)


async def sent(session: AsyncSession, notice: Claimed, at: datetime) -> None:
    """The mail server has taken the letter. Also noted after the lease has run out: it is true all the same."""
    statement = (
        update(Notice)
        .where(Notice.id == notice.id, Notice.sent_at.is_(None))
        .values(sent_at=at, last_error=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def failed(
    session: AsyncSession, notice: Claimed, error: str, next_attempt_at: datetime | None
) -> None:
    """It could not be sent; None gives it up, which shows in `failing` and `given_up`.

    Changes nothing when the lease has run out and somebody else has the notice now, or has sent it.
    """
    statement = (
        update(Notice)
        .where(Notice.id == notice.id, Notice.sent_at.is_(None), Notice.attempts == notice.attempts)
        .values(last_error=error, next_attempt_at=next_attempt_at or NEVER)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def failing(session: AsyncSession) -> dict[Age, int]:
    """How many unsent notices have failed at least once, by how long ago they were written (wall time), for metrics.

    Every age is there, also with none. `given_up` are those that nobody tries any more, whatever their age.
    """
    age = func.now() - Notice.recorded_at
    group = case(
        (Notice.next_attempt_at >= NEVER, "given_up"),
        (age < timedelta(hours=1), "hour"),
        (age < timedelta(days=1), "day"),
        else_="older",
    )
    query = (
        select(group, func.count())
        .where(Notice.sent_at.is_(None), Notice.last_error.is_not(None))
        .group_by(group)
    )
    counts: dict[Age, int] = {"hour": 0, "day": 0, "older": 0, "given_up": 0}
    return counts | {cast(Age, name): number for name, number in (await session.execute(query)).all()}


async def given_up(session: AsyncSession, limit: int = 100) -> Sequence[Notice]:
    """The notices that nobody tries any more, newest first, each with its `last_error`."""
    query = (
        select(Notice)
        .where(Notice.sent_at.is_(None), Notice.next_attempt_at >= NEVER)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def try_again(session: AsyncSession, now: datetime, notice_id: str | None = None) -> int:
    """Have a notice that was given up tried again, or all of them; how many there were."""
    statement = (
        update(Notice)
        .where(Notice.sent_at.is_(None), Notice.next_attempt_at >= NEVER)
        .values(next_attempt_at=now)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    )
    if notice_id is not None:
        statement = statement.where(Notice.id == notice_id)
    return len((await session.scalars(statement)).all())
