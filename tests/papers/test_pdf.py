"""The PDF says all that the paper says, to eyes and ears, and is the same every time."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from db.invoice_papers import LineFacts
from papers.lettering import LONGEST
from papers.pdf import pdf
from tests.papers.examples import AT, LINES, NOTE, PAID, REFUND, note_paper, paper
from tests.papers.pdf_reader import Reader, Said


def read(**changes: object) -> Reader:
    return Reader(pdf(paper(**changes)))


def long_bill(count: int) -> tuple[LineFacts, ...]:
    about = "which is described at such length that it needs a second line"
    return tuple(LineFacts("addon", f"Add-on {number}, {about}", 100, 184, 365) for number in range(count))


def test_it_shows_the_number_every_line_and_every_payment():
    shown = paper()
    texts = Reader(pdf(shown)).texts

    assert "Invoice INV-2027-000012" in texts
    assert "Łukasz & Zoë Ltd" in texts
    for line in shown.lines:
        assert line.description in texts
        assert line.amount in texts
    assert "184 of 365 days" in texts
    for payment in shown.payments:
        assert {payment.source, payment.reference, payment.amount} <= set(texts)
    assert {"Net amount", "£234.44", "Tax, 20%", "£46.89", "Total", "£281.33", "Due", "£0.00"} <= set(texts)
    assert texts[-1] == "Page 1 of 1"


@pytest.mark.parametrize(
    ("currency", "total", "tax"),
    [
        ("GBP", "£281.33", "£46.89"),
        ("EUR", "€281.33", "€46.89"),
        ("USD", "$281.33", "$46.89"),
        ("JPY", "¥28,133", "¥4,689"),
        ("CHF", "CHF 281.33", "CHF 46.89"),
        ("KWD", "KWD 28.133", "KWD 4.689"),
    ],
)
def test_totals_are_shown_in_their_currency(currency, total, tax):
    """R11: with its sign and its decimals."""
    texts = read(currency=currency).texts

    assert total in texts
    assert tax in texts
    assert f"Amount, {currency}" in texts


def test_it_shows_what_was_given_back_and_which_credit_note_says_so():
    """R20."""
    texts = read(parts=(*PAID, REFUND), notes=(NOTE,)).texts

    assert {"Card, refunded", "re_1234567890", "-£50.00"} <= set(texts)
    assert {"Corrected by", "CRN-2027-000003", "3 September 2027"} <= set(texts)


def test_a_credit_note_says_what_it_corrects_and_where_the_money_went():
    texts = Reader(pdf(note_paper())).texts

    assert "Credit note CRN-2027-000003" in texts
    assert {"Corrects", "INV-2027-000012", "Given back", "-£50.00", "-£41.67"} <= set(texts)
    assert "Due" not in texts


def test_what_is_due_is_said_first():
    assert "£20.00 is still to be paid." in read(due_minor=2_000, parts=PAID[:1]).texts


def test_many_lines_go_on_over_pages_under_the_same_headings():
    pages = list(read(lines=long_bill(60)).pages.values())

    assert len(pages) > 3
    for number, page in enumerate(pages[:-1], start=1):
        texts = [drawn.text for drawn in page]
        assert "Description" in texts
        assert texts[-1] == f"Page {number} of {len(pages)}"
    said = [text for page in pages for drawn in page if (text := drawn.text).startswith("Add-on ")]
    assert len(said) == 60


def test_headings_that_stand_again_on_the_next_page_are_not_read_aloud_again():
    said = [each.text for each in read(lines=long_bill(60)).said]

    assert said.count("Description") == 1


def test_it_is_read_aloud_as_headings_and_tables():
    reader = read()
    said = reader.said

    assert Said(("Document", "H1"), "Invoice INV-2027-000012") in [
        Said(("Document", *each.tags), each.text) for each in _below_document(said)
    ]
    assert [each.text for each in said if each.tags[-1] == "H2"] == ["How it was paid"]
    cells = {each.text: each.tags[-3:] for each in said if "Table" in each.tags}
    assert cells["Description"] == ("TR", "TH", "P")
    assert cells["£200.00"] == ("TR", "TD", "P")
    assert cells["Net amount"] == ("TR", "TH", "P")
    assert b"/Scope /Column" in reader.content
    assert b"/Scope /Row" in reader.content


def _below_document(said: list[Said]) -> list[Said]:
    assert {each.tags[0] for each in said} == {"Document"}
    return [Said(each.tags[1:], each.text) for each in said]


def test_all_that_is_drawn_is_either_read_aloud_or_repeated_by_every_page():
    """What has no tag is the page's foot, and the headings of a table that goes on."""
    reader = read(lines=long_bill(30))
    untagged = {drawn.text for page in reader.pages.values() for drawn in page if drawn.mcid is None}
    foot = "Evergreen Licensing Ltd · Invoice INV-2027-000012"

    pages = {f"Page {number} of {len(reader.pages)}" for number in range(1, len(reader.pages) + 1)}
    assert untagged == {foot, *pages, "Description", "Amount, GBP"}


def test_a_text_that_is_broken_into_lines_is_read_as_one():
    reader = read(lines=long_bill(1))
    whole = [text for text in reader.spoken.values() if text.startswith("Add-on 0")]

    assert whole == ["Add-on 0, which is described at such length that it needs a second line"]
    for (page, mcid), text in reader.spoken.items():
        lines = [drawn.text for drawn in reader.pages[page] if drawn.mcid == mcid]
        assert " ".join(lines).replace(" ", "") == text.replace(" ", "")


def test_it_has_a_title_and_a_language_and_says_that_an_archive_may_take_it():
    reader = read()

    assert b"/Lang (en)" in reader.catalog
    assert b"/Marked true" in reader.catalog
    assert b"/DisplayDocTitle true" in reader.content
    assert b"/Title (Invoice INV-2027-000012)" in reader.content
    assert b'pdfaid:part="2" pdfaid:conformance="A" pdfuaid:part="1"' in reader.content
    assert b"2027-08-17T08:00:00+00:00" in reader.content


def test_no_code_of_a_font_reads_nothing():
    """An archive refuses U+0000; fpdf2 alone would write it."""
    assert b"<0000> <0000>" not in pdf(paper())


def test_the_same_paper_is_the_same_bytes_in_another_process():
    """So that an invoice sent twice is the same file."""
    script = (
        "import sys; from tests.papers.examples import paper; from papers.pdf import pdf;"
        " sys.stdout.buffer.write(pdf(paper()))"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert other.stdout == pdf(paper())


def test_another_time_of_issue_is_another_file():
    assert pdf(paper(issued_at=AT + timedelta(seconds=1))) != pdf(paper())


@pytest.mark.parametrize("name", ["W" * 2_000, "Very long company name " * 100, "a\nb\r\nc\x00\ue000{nb}"])
def test_a_strange_name_stays_inside_its_place(name):
    reader = read(bill_to_name=name)
    bottom_of_text = [drawn.text for drawn in next(iter(reader.pages.values()))]

    assert "Description" in bottom_of_text, "the name pushed the lines off the first page"
    assert bottom_of_text[-1].startswith("Page 1 of ")
    assert max(map(len, reader.spoken.values())) <= LONGEST


def test_a_name_cannot_ask_for_the_number_of_pages():
    """fpdf2 puts it where it finds a mark; a customer's name has none of them."""
    assert "{nb} �" in read(bill_to_name="{nb} \ue000").texts


def test_letters_that_the_font_has_not_are_seen_to_be_missing(caplog):
    with caplog.at_level(logging.WARNING):
        texts = read(bill_to_name="山田 KK").texts

    assert "�� KK" in texts
    assert not caplog.records, "fpdf2 was given a letter that it does not know"


def test_markup_in_a_text_is_text():
    name = r"**<b>O'Brien</b>** (R&D) \o/ __x__"

    assert name in read(bill_to_name=name).texts


def test_a_paper_without_payments_has_no_list_of_them():
    shown = replace(paper(lines=LINES[:1], parts=(), due_minor=20_000), payments=())
    texts = Reader(pdf(shown)).texts

    assert "How it was paid" not in texts
    assert {"Due", "£200.00"} <= set(texts)
