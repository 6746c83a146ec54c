"""One SmarterTools key in our care, sealed (R28)."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank


class License(Record):
    """Product, edition, size, add-ons and the date maintenance runs to, as last seen at the vendor."""

    __tablename__ = "licenses"
    __table_args__ = (
        CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint_length"),
        CheckConstraint("char_length(last_four) BETWEEN 1 AND 4", name="last_four_length"),
        not_blank("product"),
        not_blank("edition"),
        not_blank("size"),
        Index(None, "last_four"),
        Index(None, "customer_id"),
    )

    id: Mapped[Id]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    key_ciphertext: Mapped[bytes]
    """Sealed by `db.license_keys` for this very license id."""
    fingerprint: Mapped[bytes] = mapped_column(unique=True)
    last_four: Mapped[str]
    product: Mapped[str]
    edition: Mapped[str]
    size: Mapped[str]
    addons: Mapped[list[str]] = mapped_column(server_default="{}")
    vendor_expires_on: Mapped[date]
    recorded_at: Mapped[RecordedAt]
