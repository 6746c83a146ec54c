"""Where other programs want to be told what happens, what there is to tell, and how far each has been told."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank, not_negative


class WebhookEndpoint(Record):
    """An address that is told of some kinds of events, signed with its own secret."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (not_blank("url"), not_blank("created_by"))

    id: Mapped[Id]
    url: Mapped[str]
    kinds: Mapped[list[str]]
    """Empty: all kinds."""
    secret_ciphertext: Mapped[bytes]
    """Sealed by `db.license_keys` for this endpoint's id."""
    created_by: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
    removed_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    """After days of nothing but failures; a replay enables it again."""
    failing_since: Mapped[datetime | None]
    """The first failure since the last success."""


class WebhookEvent(Record):
    """Something that happened, written in the transaction in which it did; never changed."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        UniqueConstraint(
            "subscription_id", "kind", "term_expires_on", "subject", name="uq_webhook_events_once"
        ),
        not_blank("kind"),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"))
    term_expires_on: Mapped[date]
    subject: Mapped[str] = mapped_column(server_default="")
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]


class WebhookDelivery(Record):
    """One event on its way to one endpoint."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        not_negative("attempts"),
        Index(
            "ix_webhook_deliveries_undelivered",
            "next_attempt_at",
            postgresql_where=text("delivered_at IS NULL"),
        ),
        Index(None, "endpoint_id", "event_id"),
    )

    event_id: Mapped[str] = mapped_column(ForeignKey("webhook_events.id"), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"), primary_key=True)
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    delivered_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    given_up: Mapped[bool] = mapped_column(server_default=text("false"))
    recorded_at: Mapped[RecordedAt]
