"""What the payment provider was asked to do, and what came of it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Minor, Record, RecordedAt, iso_currency, not_blank, one_of, positive


class Payment(Record):
    """Written before the provider is called, completed after; `unknown` is looked up, not repeated (R25)."""

    __tablename__ = "payments"
    __table_args__ = (
        one_of("kind", "charge", "refund"),
        one_of("status", "pending", "succeeded", "declined", "action_required", "unknown"),
        one_of("decline_kind", "soft", "hard"),
        iso_currency(),
        positive("amount_minor"),
        not_blank("key"),
        not_blank("provider"),
        CheckConstraint("(kind = 'refund') = (refunds_id IS NOT NULL)", name="refunds_known"),
        CheckConstraint("(status = 'declined') = (decline_kind IS NOT NULL)", name="declined_with_kind"),
        CheckConstraint(
            "(status IN ('succeeded', 'declined')) = (completed_at IS NOT NULL)", name="completed_at_known"
        ),
        # At most one charge of an invoice is under way or done: a second one is refused here (R25).
        Index(
            "uq_payments_live_charge",
            "invoice_id",
            unique=True,
            postgresql_where=text("kind = 'charge' AND status <> 'declined'"),
        ),
        Index(None, "invoice_id"),
        Index(None, "refunds_id"),
        Index(None, "provider_reference"),
        Index(
            "ix_payments_unsettled",
            "recorded_at",
            postgresql_where=text("status IN ('pending', 'action_required', 'unknown')"),
        ),
    )

    id: Mapped[Id]
    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoices.id"))
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    amount_minor: Mapped[Minor]
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    provider: Mapped[str]
    provider_reference: Mapped[str | None]
    payment_method: Mapped[str | None]
    """The provider's token of the card it was tried with: after a hard decline only another one is (R22)."""
    decline_code: Mapped[str | None]
    decline_kind: Mapped[str | None]
    """`soft`: worth another try; `hard`: waits for a new card (R22)."""
    action_url: Mapped[str | None]
    refunds_id: Mapped[str | None] = mapped_column(ForeignKey("payments.id"))
    """The charge a refund gives back."""
    at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    recorded_at: Mapped[RecordedAt]
