"""Our promise to keep one license renewed, as the workflow last wrote it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, iso_currency, one_of


class Subscription(Record):
    """One workflow each, id `subscription/<id>`; this row is what lists and the portal read."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        iso_currency(),
        CheckConstraint("months BETWEEN 1 AND 120", name="months_bounded"),
        CheckConstraint("anchor_day BETWEEN 1 AND 31", name="anchor_day_of_month"),
        CheckConstraint("starts_on <= expires_on", name="term_forward"),
        CheckConstraint("renews_on <= expires_on", name="renews_on_by_expiry"),
        one_of("state", "active", "cancelled", "collecting", "updating", "refused", "lapsed", "expired"),
        Index(None, "state", "id"),
        Index(None, "customer_id", "expires_on", "id"),
        Index(None, "next_renews_on", "id"),
        Index(None, "expires_on", "id"),
        Index("ix_subscriptions_to_come", "next_renews_on", postgresql_where=text("state = 'active'")),
        Index("ix_subscriptions_not_started", "intake_id", "id", postgresql_where=text("started_at IS NULL")),
    )

    id: Mapped[Id]
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"), unique=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    currency: Mapped[str]
    months: Mapped[int] = mapped_column(server_default="12")
    anchor_day: Mapped[int]
    """Day of the month on which terms end, before it is clamped to a short month (R1)."""
    starts_on: Mapped[date]
    expires_on: Mapped[date]
    renews_on: Mapped[date | None]
    """A renewal date of its own, asked for by the import (R4)."""
    auto_renew: Mapped[bool] = mapped_column(server_default=text("true"))
    ends_after_next: Mapped[bool] = mapped_column(server_default=text("false"))
    """A late cancellation is waiting for the next expiry (R8)."""
    state: Mapped[str] = mapped_column(server_default="active")
    next_renews_on: Mapped[date | None]
    promise_at: Mapped[datetime | None]
    promise_broken: Mapped[bool] = mapped_column(server_default=text("false"))
    failure_reason: Mapped[str | None]
    drop_addons: Mapped[list[str]] = mapped_column(server_default="{}")
    """Add-ons that the next renewal leaves out."""
    next_edition: Mapped[str | None]
    next_size: Mapped[str | None]
    """A smaller edition or size from the next renewal on."""
    intake_id: Mapped[str | None] = mapped_column(ForeignKey("intakes.id"))
    started_at: Mapped[datetime | None]
    """When the start of its workflow was confirmed; empty means it has still to be started (R26)."""
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
