"""The change made to a key at the vendor after an order is paid (R23)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank, one_of


class LicenseUpdate(Record):
    """Written before the vendor is called and completed after its record is read back (R24, R25)."""

    __tablename__ = "license_updates"
    __table_args__ = (
        one_of("channel", "api", "by_hand"),
        one_of("state", "pending", "done", "refused"),
        not_blank("reference"),
        CheckConstraint("from_expires_on <= to_expires_on", name="expiry_forward"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_at_known"),
        CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="refusal_known"),
        CheckConstraint("state <> 'done' OR seen_expires_on IS NOT NULL", name="done_is_seen"),
        Index("ix_license_updates_pending", "promise_at", "id", postgresql_where=text("state = 'pending'")),
        Index(None, "license_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), unique=True)
    license_id: Mapped[str] = mapped_column(ForeignKey("licenses.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    """What the vendor is given, so that asking twice changes once."""
    channel: Mapped[str]
    from_expires_on: Mapped[date]
    to_expires_on: Mapped[date]
    target_edition: Mapped[str]
    target_size: Mapped[str]
    target_addons: Mapped[list[str]] = mapped_column(server_default="{}")
    dropped_addons: Mapped[list[str]] = mapped_column(server_default="{}")
    """What a renewal leaves out: the vendor's record must not show it any more."""
    state: Mapped[str] = mapped_column(server_default="pending")
    promise_at: Mapped[datetime]
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    """The promise time passed before it was done."""
    attempted_at: Mapped[datetime | None]
    """First attempt; from then on what is asked for does not change."""
    warned_at: Mapped[datetime | None]
    """Staff were warned that the promise time is near."""
    done_at: Mapped[datetime | None]
    seen_expires_on: Mapped[date | None]
    seen_addons: Mapped[list[str] | None]
    """What the vendor's own record showed when it was read back."""
    refusal: Mapped[str | None]
    recorded_at: Mapped[RecordedAt]
