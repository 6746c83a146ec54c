"""An invoice or credit note as a PDF: A4, tagged, fit for an archive, the same bytes for the same paper.

What is on it is said in `papers.invoice_paper`; how a row is drawn in `papers.table`.
"""

from __future__ import annotations

from fpdf.prefs import ViewerPreferences

from papers import archive
from papers.invoice_paper import InvoicePaper
from papers.lettering import shown
from papers.sheet import (
    AMBER,
    BODY,
    GREEN,
    HEADING,
    MUTED,
    SELLER,
    SMALL,
    STRONG,
    TITLE,
    TOTAL,
    WIDTH_MM,
    Sheet,
    Style,
)
from papers.table import Column, Table, Texts

AMOUNT_MM = 36.0
SUMS_MM = 86.0
"""How wide the sums under a table are, at the right."""


def pdf(paper: InvoicePaper) -> bytes:
    """Set the paper; its dates are the paper's, not the clock's."""
    sheet = Sheet(foot=f"{shown(paper.seller.name)[:60]} · {paper.title}")
    _describe(sheet, paper)
    _head(sheet, paper)
    _facts(sheet, paper)
    _lines(sheet, paper)
    _payments(sheet, paper)
    _notes(sheet, paper)
    return bytes(sheet.output())


def _describe(sheet: Sheet, paper: InvoicePaper) -> None:
    author = shown(paper.seller.name)
    sheet.set_title(paper.title)
    sheet.set_author(author)
    sheet.set_lang("en")
    sheet.set_creation_date(paper.issued_at)
    sheet.viewer_preferences = ViewerPreferences(display_doc_title=True)
    archive.prepare(sheet, paper.title, author, paper.issued_at)


def _head(sheet: Sheet, paper: InvoicePaper) -> None:
    top = sheet.y
    sheet.paragraph("P", paper.seller.name, SELLER, width_mm=90)
    below_name = sheet.y
    sheet.set_y(top)
    for line in paper.seller.lines:
        sheet.paragraph("P", line, SMALL, x_mm=95, width_mm=WIDTH_MM - 95, align="R")
    sheet.set_y(max(below_name, sheet.y))
    sheet.down(10)
    sheet.paragraph("H1", paper.title, TITLE)
    sheet.down(1)
    sheet.paragraph("P", paper.standing, Style(10.5, bold=True, color=AMBER if paper.is_due else GREEN))
    sheet.down(7)


def _facts(sheet: Sheet, paper: InvoicePaper) -> None:
    name, *more = paper.bill_to
    others = [("Issued on", paper.issued_on, BODY)]
    if paper.corrects:
        others.append(("Corrects", paper.corrects, BODY))
    others.append(("Total", paper.total, STRONG))
    if paper.due:
        others.append(("Due", paper.due, STRONG))
    widths = (66.0, 40.0, 36.0, 28.0)
    labels = ("Bill to", *(label for label, _text, _style in others))
    columns = [Column(width, label) for width, label in zip(widths, labels, strict=True)]
    columns[-1] = Column(widths[-1], labels[-1], "R")
    bill_to: Texts = ((name, STRONG), *((line, BODY) for line in more))
    row = (bill_to, *(((text, style),) for _label, text, style in others))
    Table(sheet, tuple(columns), pad_mm=0.6, ruled=False).draw([row])
    sheet.down(8)


def _lines(sheet: Sheet, paper: InvoicePaper) -> None:
    columns = (Column(WIDTH_MM - AMOUNT_MM, "Description"), _amounts(paper))
    rows: list[tuple[Texts, ...]] = []
    for line in paper.lines:
        detail: Texts = ((line.detail, SMALL),) if line.detail else ()
        rows.append((((line.description, BODY), *detail), ((line.amount, BODY),)))
    Table(sheet, columns).draw(rows)
    _sums(sheet, (("Net amount", paper.net), (paper.tax_label, paper.tax)), ("Total", paper.total))


def _payments(sheet: Sheet, paper: InvoicePaper) -> None:
    if paper.payments:
        _heading(sheet, paper.payments_title)
        columns = (
            Column(46, "From" if paper.due else "To"),
            Column(52, "Reference"),
            _dates("On"),
            _amounts(paper),
        )
        rows = [
            (((each.source, BODY),), ((each.reference, MUTED),), ((each.on, BODY),), ((each.amount, BODY),))
            for each in paper.payments
        ]
        Table(sheet, columns).draw(rows)
    if paper.settlement:
        _sums(sheet, paper.settlement, ("Due", paper.due))


def _notes(sheet: Sheet, paper: InvoicePaper) -> None:
    if paper.notes:
        _heading(sheet, "Corrected by")
        columns = (Column(98, "Credit note"), _dates("Issued on"), _amounts(paper))
        rows = [(((note.number, BODY),), ((note.on, BODY),), ((note.amount, BODY),)) for note in paper.notes]
        Table(sheet, columns).draw(rows)


def _heading(sheet: Sheet, text: str) -> None:
    """A heading that is not left alone at the foot of a page."""
    sheet.down(8)
    sheet.keep(26)
    sheet.paragraph("H2", text, HEADING)


def _sums(sheet: Sheet, sums: tuple[tuple[str, str], ...], last: tuple[str, str]) -> None:
    """Sums at the right, all on one page; the last stands out."""
    sheet.down(2)
    sheet.keep(6.6 * len(sums) + 8.4)
    columns = (Column(SUMS_MM - AMOUNT_MM), Column(AMOUNT_MM, align="R"))
    label, amount = last
    Table(sheet, columns, x_mm=WIDTH_MM - SUMS_MM, pad_mm=0.9, ruled=False).draw(
        [(((name, BODY),), ((text, BODY),)) for name, text in sums],
        sum_row=(((label, TOTAL),), ((amount, TOTAL),)),
    )


def _dates(label: str) -> Column:
    return Column(36, label)


def _amounts(paper: InvoicePaper) -> Column:
    return Column(AMOUNT_MM, f"Amount, {paper.currency}", "R")
