"""Invoices and credit notes, numbered without gaps and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Minor, Record, RecordedAt, iso_currency, not_blank, one_of, positive


class InvoiceSeries(Record):
    """The next number of each series; locked while one is taken, so none is skipped or used twice."""

    __tablename__ = "invoice_series"
    __table_args__ = (not_blank("series"), positive("next_number"))

    series: Mapped[Id]
    next_number: Mapped[int] = mapped_column(server_default="1")


class Invoice(Record):
    """What is owed (`invoice`, amounts zero or above) or taken back (`credit_note`, zero or below).

    How much of it is paid is the balance of its ledger account (R17). The database refuses changes, and
    lines that do not add up to the totals.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("series", "sequence"),
        one_of("kind", "invoice", "credit_note"),
        iso_currency(),
        positive("sequence"),
        not_blank("number"),
        not_blank("bill_to_name"),
        CheckConstraint("bill_to_country ~ '^[A-Z]{2}$'", name="bill_to_country_iso"),
        CheckConstraint("net_minor + tax_minor = total_minor", name="total_adds_up"),
        CheckConstraint(
            "CASE kind WHEN 'invoice' THEN least(net_minor, tax_minor) >= 0"
            " ELSE greatest(net_minor, tax_minor) <= 0 END",
            name="sign_of_kind",
        ),
        CheckConstraint("(kind = 'credit_note') = (corrects_id IS NOT NULL)", name="corrects_known"),
        Index("uq_invoices_order", "order_id", unique=True, postgresql_where=text("kind = 'invoice'")),
        Index(None, "customer_id", "id"),
        Index(None, "corrects_id"),
    )

    id: Mapped[Id]
    series: Mapped[str] = mapped_column(ForeignKey("invoice_series.series"))
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    corrects_id: Mapped[str | None] = mapped_column(ForeignKey("invoices.id"))
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"))
    currency: Mapped[str]
    net_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    total_minor: Mapped[Minor]
    bill_to_name: Mapped[str]
    bill_to_country: Mapped[str]
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    """Its ledger account; a credit note's is that of the invoice it corrects."""
    issued_at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]


class InvoiceLine(Record):
    """One line; a discount's amount is below zero, tax is a line of its own (R13, R16)."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        one_of("kind", "renewal", "addon", "upgrade", "discount", "tax"),
        positive("position"),
        not_blank("description"),
    )

    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    description: Mapped[str]
    amount_minor: Mapped[Minor]
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """How it came about: days, fraction, rate."""
