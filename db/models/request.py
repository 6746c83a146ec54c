"""What a customer asks of staff with the request form (R27)."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, one_of


class LicenseRequest(Record):
    """A key we do not have yet, another size or edition, or something else; staff accept or decline."""

    __tablename__ = "requests"
    __table_args__ = (
        one_of("kind", "add_key", "upgrade", "downgrade", "other"),
        one_of("state", "open", "accepted", "declined"),
        CheckConstraint("email = lower(email) AND email LIKE '_%@_%'", name="email_lower_case"),
        CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by IS NULL)",
            name="decision_known",
        ),
        CheckConstraint(
            "state <> 'declined' OR btrim(coalesce(reason, '')) <> ''", name="declined_with_reason"
        ),
        CheckConstraint(
            "(license_key_ciphertext IS NULL) = (license_fingerprint IS NULL)",
            name="license_key_with_fingerprint",
        ),
        Index(None, "state", "id"),
        Index(None, "customer_id"),
    )

    id: Mapped[Id]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    email: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(server_default="")
    subscription_id: Mapped[str | None] = mapped_column(ForeignKey("subscriptions.id"))
    license_key_ciphertext: Mapped[bytes | None]
    """Sealed by `db.license_keys` for this request's id (R28)."""
    license_fingerprint: Mapped[bytes | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    state: Mapped[str] = mapped_column(server_default="open")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
