"""Webhooks: the addresses that are told, and writing down what there is to tell, with the change itself.

Sending is in `db.webhook_outbox` and `notices.webhook_sender`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, cast, exists, func, join, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.identifiers import new_id
from db.license_keys import KeyRing
from db.models.webhook import WebhookDelivery, WebhookEndpoint, WebhookEvent
from domain.announcements import EventKind

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 — by which the convention knows a secret; it is none itself


class UnknownEndpoint(LookupError):
    """No endpoint has this id."""


@dataclass(frozen=True)
class Added:
    """A new endpoint and the secret that signs what it is told; shown once."""

    id: str
    secret: str


@dataclass(frozen=True)
class Standing:
    """An endpoint and how it fares."""

    endpoint: WebhookEndpoint
    waiting: int
    given_up: int


async def announce(
    session: AsyncSession,
    kind: EventKind,
    subscription_id: str,
    term_expires_on: date,
    subject: str,
    data: Mapping[str, Any],
    at: datetime,
) -> None:
    """Write an event down for every endpoint that wants its kind; nothing where none does. One statement.

    Once per subscription, term, kind and subject.
    """
    columns = ["id", "kind", "subscription_id", "term_expires_on", "subject", "data", "at"]
    values = select(
        literal(new_id("evt")),
        cast(kind, Text),
        literal(subscription_id),
        literal(term_expires_on),
        literal(subject),
        literal(dict(data), JSONB),
        literal(at),
    ).where(exists().where(_wants(kind)))
    event = (
        insert(WebhookEvent)
        .from_select(columns, values)
        .on_conflict_do_nothing(constraint="uq_webhook_events_once")
        .returning(WebhookEvent.id)
        .cte("event")
    )
    told = join(event, WebhookEndpoint, _wants(kind))  # each endpoint that wants it: a product on purpose
    whom = select(event.c.id, WebhookEndpoint.id).select_from(told)
    await session.execute(insert(WebhookDelivery).from_select(["event_id", "endpoint_id"], whom))


async def add(
    session: AsyncSession, key_ring: KeyRing, url: str, kinds: Sequence[str], by: str, at: datetime
) -> Added:
    """Tell this address from now on of these kinds, or of all when there are none."""
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    added = Added(new_id("whe"), secret)
    session.add(
        WebhookEndpoint(
            id=added.id,
            url=url,
            kinds=list(dict.fromkeys(kinds)),
            secret_ciphertext=key_ring.seal(secret, added.id),
            created_by=by,
            at=at,
        )
    )
    await audit.record(
        session, actor=by, action="webhook_add", subject=added.id, at=at, details={"kinds": list(kinds)}
    )
    return added


async def remove(session: AsyncSession, endpoint_id: str, by: str, at: datetime) -> None:
    """Tell this endpoint nothing more. Raises UnknownEndpoint."""
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.id == endpoint_id, WebhookEndpoint.removed_at.is_(None)
    )
    found = (await session.scalars(query.with_for_update())).one_or_none()
    if found is None:
        raise UnknownEndpoint(f"there is no endpoint {endpoint_id!r}: `evergreen webhooks` lists them")
    found.removed_at = at
    await audit.record(session, actor=by, action="webhook_remove", subject=endpoint_id, at=at)


async def listing(session: AsyncSession) -> list[Standing]:
    """The endpoints that are told, oldest first."""
    open_ones = WebhookDelivery.delivered_at.is_(None)
    query = (
        select(
            WebhookEndpoint,
            func.count(WebhookDelivery.event_id).filter(open_ones, ~WebhookDelivery.given_up),
            func.count(WebhookDelivery.event_id).filter(open_ones, WebhookDelivery.given_up),
        )
        .outerjoin(WebhookDelivery, WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        .where(WebhookEndpoint.removed_at.is_(None))
        .group_by(WebhookEndpoint.id)
        .order_by(WebhookEndpoint.id)
    )
    return [Standing(*row) for row in (await session.execute(query)).all()]


def _wants(kind: EventKind) -> ColumnElement[bool]:
    """A disabled endpoint's events wait for it."""
    every = func.cardinality(WebhookEndpoint.kinds) == 0
    return WebhookEndpoint.removed_at.is_(None) & or_(every, literal(kind) == any_(WebhookEndpoint.kinds))
