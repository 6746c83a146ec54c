"""The ledger's tables: accounts, movements, entries, and the grants that entries draw on (R17, R18).

Append-only. What keeps it true is in the database (migrations 0002 and 0003): entries and movements cannot be
changed, each movement balances in each currency, a guarded balance follows its entries and cannot pass zero.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Minor, Record, RecordedAt, iso_currency, not_blank, one_of, positive

GUARDED_KINDS = ("grant", "invoice")
"""A customer's own accounts: their balance is kept and cannot pass zero."""

SYSTEM_KINDS = ("card", "expired", "goodwill", "promotions", "purchases", "revenue", "tax")
"""Ours, one per currency: their balance is the sum of their entries, so nobody waits for their row."""


class Account(Record):
    """`grant/<grant id>`, `invoice/<invoice id>`, or `revenue/GBP` and the like: the id is the name.

    A grant's balance is what is left of it, never below zero; an invoice's is what is still owed, as a number
    below zero, and zero when paid.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("id", "currency"),  # what an entry's foreign key points at: currencies never mix
        one_of("kind", *GUARDED_KINDS, *SYSTEM_KINDS),
        iso_currency(),
        CheckConstraint("kind <> 'grant' OR balance_minor >= 0", name="grant_not_overdrawn"),
        CheckConstraint("kind <> 'invoice' OR balance_minor <= 0", name="invoice_not_overpaid"),
        CheckConstraint(
            "(kind IN ('grant', 'invoice')) = (balance_minor IS NOT NULL)", name="balance_if_guarded"
        ),
        CheckConstraint(
            "(kind IN ('grant', 'invoice')) = (customer_id IS NOT NULL)", name="customer_if_guarded"
        ),
        CheckConstraint(
            "CASE WHEN kind IN ('grant', 'invoice') THEN id LIKE kind || '/_%'"
            " ELSE id = kind || '/' || currency END",
            name="id_of_kind",
        ),
        # A customer's open accounts, so that finding them does not grow with their history.
        Index(
            "ix_accounts_open", "customer_id", "kind", "currency", postgresql_where=text("balance_minor <> 0")
        ),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    currency: Mapped[str]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    balance_minor: Mapped[Minor | None]
    recorded_at: Mapped[RecordedAt]


class Movement(Record):
    """One balanced set of entries under a key that is unique for ever."""

    __tablename__ = "movements"
    __table_args__ = (
        one_of("kind", "grant", "use", "invoice", "charge", "refund", "reverse", "expire", "convert", "void"),
        not_blank("key"),
        not_blank("subject"),
        CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint_length"),
        CheckConstraint("entry_count >= 2", name="entry_count_double"),
        CheckConstraint("(kind = 'reverse') = (reverses_id IS NOT NULL)", name="reverses_known"),
        Index(None, "subject"),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    subject: Mapped[str]
    """What it is about: the id of an order, an invoice, a grant."""
    entry_count: Mapped[int]
    """How many entries it has; none can be added later."""
    fingerprint: Mapped[bytes]
    """SHA-256 of kind, subject, currency and postings: tells a repeat from a conflict."""
    reverses_id: Mapped[str | None] = mapped_column(ForeignKey("movements.id"), unique=True)
    """The movement this one undoes; each can be undone once (R20)."""
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]


class Entry(Record):
    """An amount onto (above zero) or off (below zero) one account."""

    __tablename__ = "entries"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "currency"], ["accounts.id", "accounts.currency"]),
        UniqueConstraint("movement_id", "account_id"),
        CheckConstraint("amount_minor <> 0", name="amount_minor_not_zero"),
        Index(None, "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    movement_id: Mapped[str] = mapped_column(ForeignKey("movements.id"))
    account_id: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[Minor]


class CreditGrant(Record):
    """An amount put on a customer's account; what is left of it is the balance of its ledger account."""

    __tablename__ = "credit_grants"
    __table_args__ = (
        one_of("kind", "promotional", "purchase"),
        iso_currency(),
        positive("amount_minor"),
        not_blank("reference"),
        CheckConstraint("priority BETWEEN 0 AND 100", name="priority_bounded"),
        Index(None, "customer_id", "id"),
        Index(None, "expires_on", postgresql_where=text("expires_on IS NOT NULL")),
    )

    id: Mapped[Id]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), unique=True)
    kind: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[Minor]
    priority: Mapped[int] = mapped_column(server_default="50")
    expires_on: Mapped[date | None]
    """Usable through the end of this date; empty means for ever."""
    reference: Mapped[str] = mapped_column(unique=True)
    """The purchase it came from, so that importing it twice grants once (R19)."""
    reason: Mapped[str]
    granted_by: Mapped[str]
    for_subscription_id: Mapped[str | None] = mapped_column(ForeignKey("subscriptions.id"))
    """The renewal that was bought with it before the move: what that leaves of it becomes promotional (R19)."""
    created_at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
