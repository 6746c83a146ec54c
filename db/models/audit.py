"""Who did what, when and why (R29). Append-only: the database refuses changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Record, RecordedAt, not_blank


class AuditRecord(Record):
    """One change."""

    __tablename__ = "audit"
    __table_args__ = (
        not_blank("actor"),
        not_blank("action"),
        not_blank("subject"),
        Index(None, "subject", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    """The id of what was changed."""
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    reason: Mapped[str | None]
    key: Mapped[str | None] = mapped_column(unique=True)
    """For what may be written again after a crash: the same key is kept once."""
