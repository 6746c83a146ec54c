"""Writing down who did what, when and why (R29)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.audit import AuditRecord

# The table, not the record: there is nothing to load back.
_RECORD = insert(cast(Table, AuditRecord.__table__)).on_conflict_do_nothing(index_elements=[AuditRecord.key])


async def record(
    session: AsyncSession,
    *,
    actor: str,
    action: str,
    subject: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    reason: str | None = None,
    key: str | None = None,
) -> None:
    """Add one line, in the transaction of the change itself; `subject` is the id of what changed (R29).

    `details` are plain JSON values, never a license key (R28). The same `key` again adds nothing.
    """
    line = {
        "actor": actor,
        "action": action,
        "subject": subject,
        "at": at,
        "details": dict(details or {}),
        "reason": reason,
        "key": key,
    }
    await session.execute(_RECORD, [line])


async def is_known(session: AsyncSession, key: str) -> bool:
    """Whether a line of this key was written before: what it tells has happened."""
    return bool(await session.scalar(select(exists().where(AuditRecord.key == key))))
