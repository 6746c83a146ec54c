"""Invoices to show: what the database would answer, without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from db.invoice_papers import InvoiceFacts, LineFacts, NoteFacts, Part
from papers.invoice_paper import InvoicePaper, Seller, invoice_paper

AT = datetime(2027, 8, 17, 8, 0, tzinfo=UTC)
LATER = datetime(2027, 9, 2, 23, 30, tzinfo=UTC)  # in London it is the 3rd already
SELLER = Seller(
    "Evergreen Licensing Ltd", ("1 Example Street", "London EC1A 1AA", "VAT number GB 000 0000 00")
)

LINES = (
    LineFacts("renewal", "SmarterMail Enterprise, 250 mailboxes: renewal", 20_000, None, None),
    LineFacts("addon", "Message Sniffer: 1 March 2027 to 31 August 2027 (184 of 365 days)", 6_049, 184, 365),
    LineFacts("discount", "Loyalty discount, 10%", -2_605, None, None),
    LineFacts("tax", "Tax, 20%", 4_689, None, None),
)
TOTAL = 28_133

PAID = (
    Part("promotional", "goodwill-17", 1_000, AT, AT),
    Part("purchase", "P-2026-0817", 18_000, AT, AT),
    Part("card", "ch_1234567890", 9_133, AT, AT),
)
REFUND = Part("card", "re_1234567890", -5_000, LATER, LATER)
NOTE = NoteFacts("CRN-2027-000003", -5_000, LATER)


def facts(lines: tuple[LineFacts, ...] = LINES, **changes: Any) -> InvoiceFacts:
    """An invoice over £281.33, paid by two grants and a card."""
    tax_minor = sum(line.amount_minor for line in lines if line.kind == "tax")
    net_minor = sum(line.amount_minor for line in lines) - tax_minor
    invoice = InvoiceFacts(
        number="INV-2027-000012",
        kind="invoice",
        customer_id="cus_1",
        currency="GBP",
        net_minor=net_minor,
        tax_minor=tax_minor,
        total_minor=net_minor + tax_minor,
        due_minor=0,
        bill_to_name="Łukasz & Zoë Ltd",
        bill_to_country="GB",
        issued_at=AT,
        corrects=None,
        lines=lines,
        parts=PAID,
        notes=(),
    )
    return replace(invoice, **changes)


def credit_note() -> InvoiceFacts:
    """A credit note over £50.00 of it, given back to the card."""
    lines = (
        LineFacts("renewal", "Refund of part of INV-2027-000012", -4_167, None, None),
        LineFacts("tax", "Tax", -833, None, None),
    )
    note = facts(lines, number=NOTE.number, kind="credit_note", issued_at=LATER)
    return replace(note, corrects="INV-2027-000012", parts=(REFUND,))


def paper(**changes: Any) -> InvoicePaper:
    """The same, written out."""
    return invoice_paper(facts(**changes), SELLER, "Europe/London")


def note_paper() -> InvoicePaper:
    """The credit note, written out."""
    return invoice_paper(credit_note(), SELLER, "Europe/London")
