"""A grant of credit by staff, and telling what waits for money of it (R19, R22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client

import starter
from db import audit, customers, grants
from db.grants import Granted
from domain.credits import DEFAULT_PRIORITY, GrantKind


@dataclass(frozen=True)
class Grant:
    """What staff decided; the reference is unique for ever, so that the same again grants nothing."""

    customer_id: str
    kind: GrantKind
    amount_minor: int
    currency: str
    reference: str
    reason: str
    by: str
    at: datetime
    expires_on: date | None = None
    priority: int = DEFAULT_PRIORITY


async def put(session: AsyncSession, wanted: Grant) -> tuple[Granted, list[str]]:
    """Write it down, audited; also the ids of the subscriptions to be told after the commit. Raises ReferenceTaken."""
    granted = await grants.grant(
        session,
        wanted.customer_id,
        wanted.kind,
        wanted.amount_minor,
        wanted.currency,
        reference=wanted.reference,
        reason=wanted.reason,
        by=wanted.by,
        at=wanted.at,
        expires_on=wanted.expires_on,
        priority=wanted.priority,
    )
    if granted.new:
        await audit.record(
            session,
            actor=wanted.by,
            action="grant",
            subject=granted.grant_id,
            at=wanted.at,
            reason=wanted.reason,
        )
    return granted, await customers.waiting_for_money(session, wanted.customer_id)


async def tell(client: Client, subscription_ids: list[str], by: str) -> None:
    """Have what waits for money collected now; safe to repeat. Raises RPCError."""
    for subscription_id in subscription_ids:
        await starter.payment_changed(client, subscription_id, by)
