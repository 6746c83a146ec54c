"""Webhooks from the sender's side: which deliveries are due, and what became of them.

As in `db.outbox` a claim is a lease, committed before anything is sent. What is promised is *at least once*: a repeat
has the same webhook-id, by which the receiver knows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, notices
from db.models.webhook import WebhookDelivery, WebhookEndpoint, WebhookEvent
from db.outbox import LEASE, NEVER
from db.webhooks import UnknownEndpoint


@dataclass(frozen=True)
class Due:
    """A delivery that is ours until its lease ends."""

    event_id: str
    endpoint_id: str
    kind: str
    data: dict[str, Any]
    at: datetime
    url: str = field(repr=False)
    secret_ciphertext: bytes = field(repr=False)
    attempts: int
    """This one included."""
    written_at: datetime


async def claim(session: AsyncSession, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Due]:
    """Take up to so many deliveries that are due; those of other senders are passed over. Commit before sending."""
    due = (
        select(WebhookDelivery.event_id, WebhookDelivery.endpoint_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(
            WebhookDelivery.delivered_at.is_(None),
            WebhookDelivery.next_attempt_at <= now,
            WebhookEndpoint.removed_at.is_(None),
            WebhookEndpoint.disabled_at.is_(None),
        )
        .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.event_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=WebhookDelivery)
        .cte("due")
    )
    statement = (
        update(WebhookDelivery)
        .where(
            WebhookDelivery.event_id == due.c.event_id,
            WebhookDelivery.endpoint_id == due.c.endpoint_id,
            WebhookEvent.id == due.c.event_id,
            WebhookEndpoint.id == due.c.endpoint_id,
        )
        .values(attempts=WebhookDelivery.attempts + 1, next_attempt_at=now + lease)
        .returning(
            WebhookDelivery.event_id,
            WebhookDelivery.endpoint_id,
            WebhookEvent.kind,
            WebhookEvent.data,
            WebhookEvent.at,
            WebhookEndpoint.url,
            WebhookEndpoint.secret_ciphertext,
            WebhookDelivery.attempts,
            WebhookDelivery.recorded_at,
        )
        .execution_options(synchronize_session=False)
    )
    rows = [Due(*row) for row in (await session.execute(statement)).all()]
    return sorted(rows, key=lambda one: one.event_id)


async def delivered(session: AsyncSession, due: Due, at: datetime) -> None:
    """The receiver has taken it."""
    await session.execute(
        update(WebhookDelivery).where(*_is(due)).values(delivered_at=at, last_error=None, given_up=False)
    )
    await session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == due.endpoint_id, WebhookEndpoint.failing_since.is_not(None))
        .values(failing_since=None)
    )


async def failed(
    session: AsyncSession, due: Due, error: str, now: datetime, next_attempt_at: datetime | None
) -> None:
    """It could not be delivered; None gives it up until it is replayed."""
    await session.execute(
        update(WebhookDelivery)
        .where(*_is(due), WebhookDelivery.delivered_at.is_(None), WebhookDelivery.attempts == due.attempts)
        .values(last_error=error, next_attempt_at=next_attempt_at or NEVER, given_up=next_attempt_at is None)
    )
    await session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == due.endpoint_id)
        .values(failing_since=func.coalesce(WebhookEndpoint.failing_since, now))
    )


async def disable(
    session: AsyncSession, due: Due, failing_since_before: datetime, reason: str, to: str, now: datetime
) -> bool:
    """Tell the endpoint no more if it has failed since before then, and tell staff at `to`; whether it was done now."""
    statement = (
        update(WebhookEndpoint)
        .where(
            WebhookEndpoint.id == due.endpoint_id,
            WebhookEndpoint.disabled_at.is_(None),
            WebhookEndpoint.failing_since <= failing_since_before,
        )
        .values(disabled_at=now)
        .returning(WebhookEndpoint.id)
    )
    if (await session.scalars(statement)).one_or_none() is None:
        return False
    await notices.tell(
        session,
        kind="webhook_disabled",
        customer_id=None,
        to_email=to,
        subject=f"{due.endpoint_id}/{now.isoformat()}",
        facts={"endpoint_id": due.endpoint_id, "reason": reason, "url": due.url},
        at=now,
        audience="staff",
    )
    await audit.record(
        session, actor="evergreen", action="webhook_disable", subject=due.endpoint_id, at=now, reason=reason
    )
    return True


async def replay(
    session: AsyncSession,
    endpoint_id: str,
    by: str,
    now: datetime,
    *,
    event_id: str | None = None,
    since: datetime | None = None,
) -> int:
    """Enable the endpoint and have deliveries sent anew: one, all since then, or all undelivered; how many.

    Raises UnknownEndpoint.
    """
    enabled = (
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.removed_at.is_(None))
        .values(disabled_at=None, failing_since=None)
        .returning(WebhookEndpoint.id)
    )
    if (await session.scalars(enabled)).one_or_none() is None:
        raise UnknownEndpoint(f"there is no endpoint {endpoint_id!r}: `evergreen webhooks` lists them")
    await audit.record(session, actor=by, action="webhook_replay", subject=endpoint_id, at=now)
    statement = update(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if event_id is not None:
        statement = statement.where(WebhookDelivery.event_id == event_id)
    if since is not None:
        statement = statement.where(WebhookDelivery.recorded_at >= since)
    if event_id is None and since is None:
        statement = statement.where(WebhookDelivery.delivered_at.is_(None))
    chosen = statement.values(
        next_attempt_at=now, delivered_at=None, given_up=False, attempts=0, recorded_at=now
    ).returning(WebhookDelivery.event_id)
    found = await session.scalars(chosen.execution_options(synchronize_session=False))
    return len(found.all())


def _is(due: Due) -> tuple[Any, Any]:
    return WebhookDelivery.event_id == due.event_id, WebhookDelivery.endpoint_id == due.endpoint_id
