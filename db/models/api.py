"""Programs that use the API: their tokens, of which only digests are kept, and the writes they asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank


class ApiToken(Record):
    """One program's credential, with what it may do and until when."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        CheckConstraint("octet_length(token_digest) = 32", name="digest_length"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes_there"),
        CheckConstraint("at < expires_at", name="expires_later"),
        not_blank("name"),
        not_blank("created_by"),
        Index("uq_api_tokens_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    id: Mapped[Id]
    name: Mapped[str]
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of the token."""
    scopes: Mapped[list[str]]
    created_by: Mapped[str]
    at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """To the minute, so that a busy program does not write at every request."""
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    recorded_at: Mapped[RecordedAt]


class ApiWrite(Record):
    """A write under its Idempotency-Key: what was asked, and once it is decided what was answered."""

    __tablename__ = "api_writes"
    __table_args__ = (
        CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint_length"),
        CheckConstraint("(status IS NULL) = (answered_at IS NULL)", name="answer_known"),
        not_blank("key"),
        Index(None, "at"),
    )

    token_id: Mapped[str] = mapped_column(ForeignKey("api_tokens.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    """Keyed digest of method, address and body: the same key for something else is a mistake."""
    at: Mapped[datetime]
    leased_until: Mapped[datetime]
    """Until then somebody is at it; after that they have died, and the same request goes on."""
    answered_at: Mapped[datetime | None]
    status: Mapped[int | None]
    body: Mapped[dict[str, Any] | None]
    location: Mapped[str | None]
