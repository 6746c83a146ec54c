"""Who pays."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank

# Written as PostgreSQL writes it, by which Alembic compares.
WORDS = (
    "to_tsvector('simple'::regconfig, regexp_replace((name || ' '::text) || email, "
    "'[!-/:-@[-`{-~]+'::text, ' '::text, 'g'::text))"
)
"""The words of name and e-mail address, by which staff search: what stands between ASCII punctuation."""


class Customer(Record):
    """A customer; what we know of their card is the payment provider's token, never a number."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("email = lower(email) AND email LIKE '_%@_%'", name="email_lower_case"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_iso"),
        not_blank("name"),
        Index("ix_customers_words", text(WORDS), postgresql_using="gin"),
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
