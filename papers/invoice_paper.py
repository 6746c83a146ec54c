"""An invoice or credit note as it is shown: everything on it already written out for a reader (R11, R13, R14, R16).

Not how it looks: that is `papers.pdf` and `papers.page`. Amounts are texts in the document's currency, dates are the
business's local days in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from db.invoice_papers import InvoiceFacts, LineFacts, Part
from domain.local_time import in_words, local_date
from domain.money import format_minor


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sends the paper: a name, and lines for address, tax number and where to write."""

    name: str
    lines: tuple[str, ...] = ()


EXAMPLE_LINES = ("An example: this is where your address and tax number stand.",)
"""What stands under the seller's name until it is replaced."""


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line of the bill; `detail` is how its amount came about, like `184 of 365 days` (R14)."""

    description: str
    detail: str
    amount: str


@dataclass(frozen=True, slots=True)
class PaperPayment:
    """What a grant or a card paid, or (with a minus) got back (R18, R20)."""

    source: str
    reference: str
    on: str
    amount: str


@dataclass(frozen=True, slots=True)
class PaperNote:
    """A credit note that corrects the invoice; its amount has a minus."""

    number: str
    on: str
    amount: str


@dataclass(frozen=True, slots=True)
class InvoicePaper:
    """The whole paper. Texts that do not apply are empty; `due` is empty on a credit note."""

    number: str
    kind: Literal["invoice", "credit note"]
    issued_at: datetime
    issued_on: str
    seller: Seller
    bill_to: tuple[str, ...]
    currency: str
    lines: tuple[PaperLine, ...]
    net: str
    tax_label: str
    tax: str
    total: str
    payments: tuple[PaperPayment, ...]
    settlement: tuple[tuple[str, str], ...]
    """Labels and amounts that add up to `due`: the total, what credit notes take off it, what was paid."""
    due: str
    is_due: bool
    corrects: str
    notes: tuple[PaperNote, ...]
    standing: str
    """How the paper stands, in one sentence."""

    @property
    def title(self) -> str:
        """`Invoice INV-2027-000012`."""
        return f"{self.kind.capitalize()} {self.number}"

    @property
    def payments_title(self) -> str:
        """What the list of payments is about."""
        return "Given back" if self.kind == "credit note" else "How it was paid"


def invoice_paper(facts: InvoiceFacts, seller: Seller, zone: str) -> InvoicePaper:
    """Write the facts out, with the days of the business's time zone."""

    def money(amount_minor: int) -> str:
        return format_minor(amount_minor, facts.currency)

    def day(at: datetime) -> str:
        return in_words(local_date(at, zone))

    is_note = facts.kind == "credit_note"
    return InvoicePaper(
        number=facts.number,
        kind="credit note" if is_note else "invoice",
        issued_at=facts.issued_at,
        issued_on=day(facts.issued_at),
        seller=seller,
        bill_to=(facts.bill_to_name, f"Country: {facts.bill_to_country}"),
        currency=facts.currency,
        lines=tuple(
            PaperLine(*_described(line), money(line.amount_minor))
            for line in facts.lines
            if line.kind != "tax"
        ),
        net=money(facts.net_minor),
        tax_label=_tax_label(facts),
        tax=money(facts.tax_minor),
        total=money(facts.total_minor),
        payments=tuple(
            PaperPayment(_source(part), part.reference, day(part.at), money(part.amount_minor))
            for part in facts.parts
        ),
        settlement=() if is_note else tuple((label, money(minor)) for label, minor in _settlement(facts)),
        due="" if is_note else money(facts.due_minor),
        is_due=facts.due_minor > 0,
        corrects=facts.corrects or "",
        notes=tuple(
            PaperNote(note.number, day(note.issued_at), money(note.total_minor)) for note in facts.notes
        ),
        standing=_standing(facts, zone),
    )


def _described(line: LineFacts) -> tuple[str, str]:
    """The line's description and detail; what the description says at its end is not said twice."""
    if line.days is None or line.term_days is None or line.days == line.term_days:
        return line.description, ""
    detail = f"{line.days} of {line.term_days} days"
    return line.description.removesuffix(f" ({detail})"), detail


def _tax_label(facts: InvoiceFacts) -> str:
    """`Tax, 20%`, as the line says that the tax is (R16)."""
    taxes = [line.description for line in facts.lines if line.kind == "tax"]
    return taxes[0] if len(taxes) == 1 else "Tax"


def _settlement(facts: InvoiceFacts) -> list[tuple[str, int]]:
    """From the total to what is due, leaving out what did not happen (R17, R20)."""
    steps = [
        ("Credit notes", facts.credited_minor),
        ("Paid", -facts.paid_minor),
        ("Given back", -facts.returned_minor),
    ]
    return [("Total", facts.total_minor), *((label, minor) for label, minor in steps if minor)]


def _source(part: Part) -> str:
    name = "Card" if part.source == "card" else f"{part.source.capitalize()} credit"
    if part.amount_minor > 0:
        return name
    if part.source != "card":
        return f"{name}, put back"
    return f"{name}, refunded" if part.done else f"{name}, refund under way"


def _standing(facts: InvoiceFacts, zone: str) -> str:
    if facts.corrects is not None:
        return f"This corrects invoice {facts.corrects}."
    if facts.due_minor > 0:
        return f"{format_minor(facts.due_minor, facts.currency)} is still to be paid."
    if facts.notes and facts.credited_minor == -facts.total_minor:
        return "Taken back in full: nothing is owed."
    paid_at = max((part.at for part in facts.parts if part.amount_minor > 0), default=None)
    if paid_at is None:
        return "Nothing is to be paid."
    paid = f"Paid in full on {in_words(local_date(paid_at, zone))}."
    return f"{paid} Part of it was given back since." if facts.notes else paid
