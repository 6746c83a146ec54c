"""The outbox of notices: written in the transaction of what they tell, sent later by a sender of their own (R6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import webhooks
from db.identifiers import new_id
from db.models.notice import Notice
from domain import announcements

Audience = Literal["customer", "staff"]


async def tell(
    session: AsyncSession,
    *,
    kind: str,
    customer_id: str | None,
    at: datetime,
    facts: Mapping[str, Any],
    subscription_id: str | None = None,
    term_expires_on: date | None = None,
    subject: str = "",
    audience: Audience = "customer",
    to_email: str | None = None,
) -> None:
    """Put a notice in the outbox, once per subscription, term, kind and subject, however often it is asked for.

    It goes to the customer, or to the address that all staff read; `to_email` names one person instead.
    `facts` is what the letter says, as JSON values; never a license key (R28).
    """
    row = insert(Notice).values(
        id=new_id("ntc"),
        subscription_id=subscription_id,
        customer_id=customer_id,
        to_email=to_email,
        audience=audience,
        term_expires_on=term_expires_on,
        kind=kind,
        subject=subject,
        facts=dict(facts),
        at=at,
    )
    told = await session.scalars(
        row.on_conflict_do_nothing(constraint="uq_notices_once").returning(Notice.id)
    )
    if told.one_or_none() is None or subscription_id is None or term_expires_on is None:
        return
    for event in announcements.kinds_of(kind, audience, subject):  # the one place where programs are told too
        data = announcements.data_of(subscription_id, customer_id or "", facts)
        await webhooks.announce(session, event, subscription_id, term_expires_on, subject, data, at)
