"""The outbox of notices: written in the transaction of what they tell, sent later by a sender of their own (R6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal, cast

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import webhooks
from db.identifiers import new_id
from db.models.notice import Notice
from domain import announcements

Audience = Literal["customer", "staff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """A notice to be put in the outbox; `facts` is what the letter says, as JSON values, never a license key (R28)."""

    kind: str
    customer_id: str | None
    at: datetime
    facts: Mapping[str, Any]
    subscription_id: str | None = None
    term_expires_on: date | None = None
    subject: str = ""
    audience: Audience = "customer"
    to_email: str | None = None
    """One person, instead of the customer or the address that all staff read."""


# The table, not the record: there is nothing to load back.
_TELL = insert(cast(Table, Notice.__table__)).on_conflict_do_nothing(constraint="uq_notices_once")


async def tell_all(session: AsyncSession, notices: Sequence[NewNotice]) -> None:
    """Put notices in the outbox, each once per subscription, term, kind and subject.

    One statement, and one for each event that programs are told of too: this is the one place where they are.
    """
    ids = sorted(new_id("ntc") for _ in notices)  # made in one moment, and read in the order told
    rows = [{"id": made, **asdict(notice)} for made, notice in zip(ids, notices, strict=True)]
    if rows:
        await session.execute(_TELL, rows)
    for notice in notices:
        await _announce(session, notice)


async def _announce(session: AsyncSession, notice: NewNotice) -> None:
    subscription_id, term_expires_on = notice.subscription_id, notice.term_expires_on
    if subscription_id is None or term_expires_on is None:
        return
    data = announcements.data_of(subscription_id, notice.customer_id or "", notice.facts)
    for event in announcements.kinds_of(notice.kind, notice.audience, notice.subject):
        await webhooks.announce(
            session, event, subscription_id, term_expires_on, notice.subject, data, notice.at
        )


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
    """Put a notice in the outbox, once per subscription, term, kind and subject, however often it is asked for."""
    notice = NewNotice(
        kind=kind,
        customer_id=customer_id,
        at=at,
        facts=facts,
        subscription_id=subscription_id,
        term_expires_on=term_expires_on,
        subject=subject,
        audience=audience,
        to_email=to_email,
    )
    await tell_all(session, [notice])
