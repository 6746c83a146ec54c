"""What a reconciliation found to differ, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from db.models.record import Id, Record, RecordedAt, not_blank


class DifferenceRecord(Record):
    """One difference from when it was first seen until it is healed or gone; one that comes back is another row."""

    __tablename__ = "differences"
    __table_args__ = (
        not_blank("kind"),
        not_blank("subject"),
        CheckConstraint("(accepted_at IS NULL) = (accepted_by IS NULL)", name="accepted_by_known"),
        Index(
            "uq_differences_open",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("healed_at IS NULL AND gone_at IS NULL"),
        ),
        Index("ix_differences_untold", "id", postgresql_where=text("told_at IS NULL")),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    """A word of `domain.differences.Kind`."""
    subject: Mapped[str]
    """The id of what differs: a subscription, a workflow, a payment, an account."""
    details: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    healed_at: Mapped[datetime | None]
    """When we mended it."""
    gone_at: Mapped[datetime | None]
    """When a reconciliation looked and it was not there any more."""
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    """Who has looked at it and says that it may stay."""
    told_at: Mapped[datetime | None]
    """When staff were told, once."""
    recorded_at: Mapped[RecordedAt]
