"""Something the customer owes for: a renewal, add-ons, an upgrade."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank, one_of


class Order(Record):
    """What was ordered and what the license shall be once it is paid; one row per key for ever (R25)."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of("kind", "renewal", "addon", "upgrade"),
        one_of("state", "open", "paid", "fulfilled", "refunded", "void"),
        not_blank("key"),
        not_blank("target_edition"),
        not_blank("target_size"),
        CheckConstraint("term_starts_on <= term_expires_on", name="term_forward"),
        CheckConstraint("added_addons <@ target_addons", name="added_addons_in_target"),
        CheckConstraint("state IN ('open', 'void') OR paid_at IS NOT NULL", name="paid_at_known"),
        CheckConstraint("state <> 'fulfilled' OR fulfilled_at IS NOT NULL", name="fulfilled_at_known"),
        Index(None, "subscription_id", "id"),
        Index(None, "state", "id"),
    )

    id: Mapped[Id]
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"))
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    """`<subscription>/<term end>/<purpose>/<n>`."""
    term_starts_on: Mapped[date]
    term_expires_on: Mapped[date]
    """The term paid for, both dates inclusive."""
    target_edition: Mapped[str]
    target_size: Mapped[str]
    target_addons: Mapped[list[str]] = mapped_column(server_default="{}")
    added_addons: Mapped[list[str]] = mapped_column(server_default="{}")
    state: Mapped[str] = mapped_column(server_default="open")
    quote_id: Mapped[str | None] = mapped_column(ForeignKey("quotes.id"), unique=True)
    ordered_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    promise_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    recorded_at: Mapped[RecordedAt]
