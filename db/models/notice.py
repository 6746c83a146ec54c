"""What customers and staff are to be told: an outbox, written in the transaction of what it tells (R6)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank, not_negative, one_of


class Notice(Record):
    """At most one per subscription, term, kind, subject and audience, whatever crashes."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint(
            "subscription_id",
            "term_expires_on",
            "kind",
            "subject",
            "audience",
            name="uq_notices_once",
            postgresql_nulls_not_distinct=True,
        ),
        one_of("audience", "customer", "staff"),
        not_blank("kind"),
        not_negative("attempts"),
        CheckConstraint("audience = 'staff' OR customer_id IS NOT NULL", name="customer_is_known"),
        Index("ix_notices_unsent", "next_attempt_at", "id", postgresql_where=text("sent_at IS NULL")),
        Index(None, "customer_id", "id"),
    )

    id: Mapped[Id]
    subscription_id: Mapped[str | None] = mapped_column(ForeignKey("subscriptions.id"))
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    """None: a notice to staff that is about no customer."""
    to_email: Mapped[str | None]
    """The address, where it is not that of the customer or of all staff."""
    audience: Mapped[str]
    term_expires_on: Mapped[date | None]
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="")
    """Tells two of a kind in one term apart, for example by order id."""
    facts: Mapped[dict[str, Any]]
    """What the letter says: amounts, dates; never a license key."""
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    """Wall time: the sender looks at a real clock."""
