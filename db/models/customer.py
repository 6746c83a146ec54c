"""Who pays."""

from datetime import datetime

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank


class Customer(Record):
    """A customer; what we know of their card is the payment provider's token, never a number."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("email = lower(email) AND email LIKE '_%@_%'", name="email_lower_case"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_iso"),
        not_blank("name"),
    )

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    country: Mapped[str]
    """ISO 3166 alpha-2; decides the tax (R16)."""
    previous_customer: Mapped[bool] = mapped_column(server_default=text("false"))
    """Marked by staff or the import: earns the loyalty rate (R13)."""
    provider_customer_id: Mapped[str | None]
    card_token: Mapped[str | None]
    card_changed_at: Mapped[datetime | None]
    """When the provider says the card was saved: older news of a card do not replace it."""
    created_at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
