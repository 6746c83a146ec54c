"""The outbox of notices: written in the transaction of what they tell, sent later by a sender of their own (R6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.identifiers import new_id
from db.models.notice import Notice

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
    await session.execute(row.on_conflict_do_nothing(constraint="uq_notices_once"))
