"""Who is signed in to the portal, and how they came in. Only digests of what opens it are kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_negative, one_of


def _one_person() -> CheckConstraint:
    """A customer has an id of ours, a member of staff an address and a role."""
    return CheckConstraint(
        "CASE person WHEN 'customer' THEN customer_id IS NOT NULL AND staff_email IS NULL AND role IS NULL"
        " ELSE customer_id IS NULL AND staff_email IS NOT NULL AND role IS NOT NULL END",
        name="one_person",
    )


class SignInLink(Record):
    """A link that was mailed: opens the portal once, within minutes."""

    __tablename__ = "sign_in_links"
    __table_args__ = (
        one_of("person", "customer", "staff"),
        one_of("role", "support", "ops"),
        _one_person(),
        CheckConstraint("octet_length(token_digest) = 32", name="digest_length"),
        CheckConstraint("at < lapses_at", name="lapses_later"),
        Index(None, "customer_id"),
        Index(None, "lapses_at"),
    )

    id: Mapped[Id]
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of the token that is in the link only."""
    person: Mapped[str]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    staff_email: Mapped[str | None]
    role: Mapped[str | None]
    onward: Mapped[str] = mapped_column(server_default="")
    """The page that was wanted; empty: the first one."""
    at: Mapped[datetime]
    """Wall time, as everything about signing in."""
    lapses_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by_digest: Mapped[bytes | None]
    """SHA-256 of the browser's own secret: a double click comes from the same browser."""


class PortalSession(Record):
    """A browser that is signed in."""

    __tablename__ = "portal_sessions"
    __table_args__ = (
        one_of("person", "customer", "staff"),
        one_of("role", "support", "ops"),
        _one_person(),
        CheckConstraint("octet_length(token_digest) = 32", name="digest_length"),
        Index(None, "customer_id"),
        Index(None, "staff_email"),
        Index(None, "lapses_at"),
    )

    token_digest: Mapped[bytes] = mapped_column(primary_key=True)
    """SHA-256 of what the cookie holds."""
    person: Mapped[str]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    staff_email: Mapped[str | None]
    role: Mapped[str | None]
    flashes: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    """What the next page says at its top, once."""
    at: Mapped[datetime]
    seen_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]


class RateWindow(Record):
    """How often something was done in one window of time; every process of the portal counts here."""

    __tablename__ = "rate_windows"
    __table_args__ = (
        CheckConstraint("octet_length(who_digest) = 32", name="digest_length"),
        not_negative("times"),
        Index(None, "ends_at"),
    )

    what: Mapped[str] = mapped_column(primary_key=True)
    who_digest: Mapped[bytes] = mapped_column(primary_key=True)
    """SHA-256 of an address or a client: whom a row is about cannot be read off it."""
    ends_at: Mapped[datetime] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(server_default="0")
