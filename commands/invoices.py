"""A customer's invoices and credit notes: the list, and one of them, to read, to print or to send."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from commands import running
from commands.running import Refused
from commands.screen import AsJson, console, document, table, to_errors
from db import customers, invoice_papers
from db.customers import UnknownCustomer
from db.invoice_papers import InvoiceFacts
from db.invoices import UnknownInvoice
from domain.local_time import local_date
from domain.money import format_minor
from papers.invoice_paper import EXAMPLE_LINES, InvoicePaper, Seller, invoice_paper

SELLER = Seller("Evergreen", EXAMPLE_LINES)

BESIDE = "evergreen-invoice.css"
"""The style sheet's name beside a saved page."""


@dataclass(frozen=True)
class _Found:
    facts: InvoiceFacts
    paper: InvoicePaper


def list_invoices(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id or e-mail address.")],
    as_json: AsJson = False,
) -> None:
    """List a customer's invoices and credit notes, oldest first, with what paid them.

    Example: evergreen invoices jo@example.com
    """

    async def command() -> tuple[list[InvoiceFacts], str]:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            try:
                whose = await customers.find(session, customer)
            except UnknownCustomer as unknown:
                raise Refused(str(unknown)) from unknown
            return await invoice_papers.of_customer(session, whose.id), settings.zone

    found, zone = running.run(command)
    if as_json:
        document([_as_document(facts) for facts in found])
    elif not found:
        console.print("This customer has had no invoice.")
    else:
        table(
            f"{len(found)} invoices and credit notes",
            ["number", "issued", "total", "by credits", "by card", "due", "about"],
            [_row(facts, zone) for facts in found],
            right=["total", "by credits", "by card", "due"],
        )


def invoice(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The invoice's or credit note's number.")],
    pdf_file: Annotated[
        Path | None, typer.Option("--pdf", dir_okay=False, help="Write it to this file, as a PDF.")
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, help=f"Write it as a page, with {BESIDE} beside it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an invoice or credit note: its lines, and which grant and which card paid what.

    Example: evergreen invoice INV-2027-000012 --pdf invoice.pdf
    """

    async def command() -> _Found:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            try:
                facts = await invoice_papers.by_number(session, number)
            except UnknownInvoice as unknown:
                raise Refused(str(unknown)) from unknown
        return _Found(facts, invoice_paper(facts, SELLER, settings.zone))

    found = running.run(command)
    if pdf_file is not None:
        _save_pdf(found.paper, pdf_file)
    if html_file is not None:
        _save_page(found.paper, html_file)
    if as_json:
        document(_as_document(found.facts))
    else:
        _show(found.paper)


def _show(paper: InvoicePaper) -> None:
    console.print(f"[bold]{escape(paper.title)}[/], {paper.issued_on}, to {escape(', '.join(paper.bill_to))}")
    console.print(escape(paper.standing))
    lines = [(line.description, line.detail, line.amount) for line in paper.lines]
    sums = [
        ("Net amount", "", paper.net),
        (paper.tax_label, "", paper.tax),
        ("Total", "", paper.total),
    ]
    table("", ["line", "", "amount"], [*lines, *sums], right=["amount"])
    if paper.payments:
        table(
            paper.payments_title,
            ["source", "reference", "on", "amount"],
            [(each.source, each.reference, each.on, each.amount) for each in paper.payments],
            right=["amount"],
        )
    if paper.notes:
        notes = [(note.number, note.on, note.amount) for note in paper.notes]
        table("Corrected by", ["credit note", "issued", "amount"], notes, right=["amount"])
    if paper.settlement:
        table("", ["", "amount"], [*paper.settlement, ("Due", paper.due)], right=["amount"])


def _row(facts: InvoiceFacts, zone: str) -> tuple[object, ...]:
    credits_minor = sum(part.amount_minor for part in facts.parts if part.source != "card")
    card_minor = sum(part.amount_minor for part in facts.parts if part.source == "card")
    amounts = (facts.total_minor, credits_minor, card_minor)
    return (
        facts.number,
        local_date(facts.issued_at, zone),
        *(format_minor(minor, facts.currency) for minor in amounts),
        "" if facts.corrects else format_minor(facts.due_minor, facts.currency),
        f"corrects {facts.corrects}"
        if facts.corrects
        else ", ".join(f"corrected by {note.number}" for note in facts.notes),
    )


def _as_document(facts: InvoiceFacts) -> dict[str, Any]:
    """One invoice or credit note as JSON; what a grant or card paid is above zero, what it got back below."""
    return {
        "number": facts.number,
        "kind": facts.kind,
        "customer": facts.customer_id,
        "issued_at": facts.issued_at,
        "bill_to": {"name": facts.bill_to_name, "country": facts.bill_to_country},
        "currency": facts.currency,
        "net_minor": facts.net_minor,
        "tax_minor": facts.tax_minor,
        "total_minor": facts.total_minor,
        "due_minor": facts.due_minor,
        "lines": [
            {
                "kind": line.kind,
                "description": line.description,
                "amount_minor": line.amount_minor,
                "days": line.days,
                "term_days": line.term_days,
            }
            for line in facts.lines
        ],
        "payments": [
            {
                "source": part.source,
                "reference": part.reference,
                "amount_minor": part.amount_minor,
                "at": part.at,
                "done": part.done,
            }
            for part in facts.parts
        ],
        "corrects": facts.corrects,
        "corrected_by": [
            {"number": note.number, "total_minor": note.total_minor, "issued_at": note.issued_at}
            for note in facts.notes
        ],
    }


def _save_pdf(paper: InvoicePaper, file: Path) -> None:
    from papers.lettering import unshown  # only here: no other command should wait for fpdf2 to load
    from papers.pdf import pdf

    _write(file, pdf(paper))
    if missing := unshown("".join([*paper.bill_to, *(line.description for line in paper.lines)])):
        to_errors.print(f"The PDF has no letters for {escape(missing)}: the page (--html) shows them.")


def _save_page(paper: InvoicePaper, file: Path) -> None:
    from papers.page import STYLESHEET, page  # only here, as above

    _write(file, page(paper, BESIDE).encode())
    _write(file.with_name(BESIDE), STYLESHEET.read_bytes())


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as failed:
        raise typer.BadParameter(f"{file} cannot be written: {failed.strerror}") from failed
    to_errors.print(f"Wrote {escape(str(file))}.")
