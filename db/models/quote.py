"""A price that holds until local midnight (R15)."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Minor, Record, RecordedAt, iso_currency


class Quote(Record):
    """What add-ons would cost now, line by line; charged to the penny or quoted anew."""

    __tablename__ = "quotes"
    __table_args__ = (
        iso_currency(),
        CheckConstraint("at < lapses_at", name="lapses_later"),
        CheckConstraint(
            "least(total_minor, credits_minor, remainder_minor) >= 0", name="amounts_not_negative"
        ),
        CheckConstraint("credits_minor + remainder_minor = total_minor", name="remainder_adds_up"),
        Index(None, "subscription_id", "id"),
    )

    id: Mapped[Id]
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"))
    at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    currency: Mapped[str]
    addons: Mapped[list[str]]
    lines: Mapped[list[dict[str, Any]]]
    total_minor: Mapped[Minor]
    credits_minor: Mapped[Minor]
    remainder_minor: Mapped[Minor]
    basis: Mapped[dict[str, Any]]
    """What it was reckoned from: term, size, rate, credits by grant."""
    used_by_order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id", use_alter=True), unique=True)
    recorded_at: Mapped[RecordedAt]
