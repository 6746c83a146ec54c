"""The page says all that the paper says, harmlessly, and needs nothing but its style sheet."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from papers.page import STYLESHEET, page
from tests.papers.examples import NOTE, PAID, REFUND, note_paper, paper

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> & {{ 7 * 7 }}"
VOID = {"meta", "link", "img", "br"}


class Elements(HTMLParser):
    """Every element with its attributes, and all text; an end tag that fits no start tag is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.found if found == tag]


def test_it_shows_all_that_is_on_the_paper():
    shown = paper(parts=(*PAID, REFUND), notes=(NOTE,))
    text = Elements(page(shown)).text

    for line in shown.lines:
        assert f"{line.description} {line.detail}".strip() in text
    for payment in shown.payments:
        assert f"{payment.source} {payment.reference} {payment.on} {payment.amount}" in text
    for label, amount in (*shown.settlement, ("Due", shown.due), (shown.tax_label, shown.tax)):
        assert f"{label} {amount}" in text
    assert "CRN-2027-000003 3 September 2027 -£50.00" in text
    assert "1 Example Street" in text


@pytest.mark.parametrize("currency", ["GBP", "EUR", "USD", "JPY"])
def test_totals_are_shown_in_their_currency(currency):
    shown = paper(currency=currency)

    assert f"Total {shown.total}" in Elements(page(shown)).text


def test_a_hostile_name_or_reference_is_only_text():
    parts = tuple(part.__class__(part.source, HOSTILE, part.amount_minor, part.at, part.at) for part in PAID)
    elements = Elements(page(paper(bill_to_name=HOSTILE, parts=parts)))

    assert not elements.all("script")
    assert not elements.all("img")
    assert HOSTILE in elements.text


@pytest.mark.parametrize(
    "shown", [paper(parts=(*PAID, REFUND), notes=(NOTE,)), note_paper()], ids=["invoice", "note"]
)
def test_it_needs_no_inline_style_and_no_script(shown):
    """So that it is served under the strictest content security policy."""
    elements = Elements(page(shown))

    assert not elements.all("script")
    assert not elements.all("style")
    assert not [
        attributes for _, attributes in elements.found if {"style", "onclick", "onload"} & attributes.keys()
    ]
    assert [link["href"] for link in elements.all("link")] == ["invoice.css"]


@pytest.mark.parametrize(
    "shown", [paper(parts=(*PAID, REFUND), notes=(NOTE,)), note_paper()], ids=["invoice", "note"]
)
def test_tables_can_be_listened_to(shown):
    elements = Elements(page(shown))

    assert elements.all("html") == [{"lang": "en"}]
    assert len(elements.all("caption")) == len(elements.all("table"))
    assert {heading["scope"] for heading in elements.all("th")} == {"col", "row"}
    assert len(elements.all("h1")) == 1
    named = {section["aria-labelledby"] for section in elements.all("section")}
    assert named == {heading.get("id") for heading in elements.all("h2")}


def test_its_style_sheet_is_a_file_that_can_be_served_from_anywhere():
    assert 'href="/static/a&amp;b.css"' in page(paper(), "/static/a&b.css")
    style = STYLESHEET.read_text(encoding="utf-8")
    assert "@media print" in style
    assert "url(" not in style
    assert "@import" not in style
