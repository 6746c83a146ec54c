"""An invoice is written out for a reader: sums, days, sources."""

from __future__ import annotations

import pytest

from db.invoice_papers import NoteFacts, Part
from papers.lettering import shown, unshown
from tests.papers.examples import AT, LATER, LINES, NOTE, PAID, REFUND, TOTAL, facts, note_paper, paper


def test_the_days_of_an_addon_stand_below_its_description_and_not_twice():
    """R14."""
    addon = paper().lines[1]

    assert (addon.description, addon.detail) == (
        "Message Sniffer: 1 March 2027 to 31 August 2027",
        "184 of 365 days",
    )


def test_tax_is_a_line_of_its_own_under_the_net_amount():
    """R16; and R13: so is the discount, among the lines."""
    shown = paper()

    assert [line.description for line in shown.lines][-1] == "Loyalty discount, 10%"
    assert (shown.net, shown.tax_label, shown.tax, shown.total) == (
        "£234.44",
        "Tax, 20%",
        "£46.89",
        "£281.33",
    )


def test_without_tax_it_says_so():
    shown = paper(lines=LINES[:1])

    assert (shown.tax_label, shown.tax, shown.total) == ("Tax", "£0.00", "£200.00")


def test_days_are_the_business_s_days():
    assert paper(issued_at=LATER).issued_on == "3 September 2027"


@pytest.mark.parametrize(
    ("changes", "standing", "settlement"),
    [
        (
            {},
            "Paid in full on 17 August 2027.",
            [("Total", "£281.33"), ("Paid", "-£281.33")],
        ),
        (
            {"parts": PAID[:1], "due_minor": TOTAL - 1_000},
            "£271.33 is still to be paid.",
            [("Total", "£281.33"), ("Paid", "-£10.00")],
        ),
        (
            {"parts": (*PAID, REFUND), "notes": (NOTE,)},
            "Paid in full on 17 August 2027. Part of it was given back since.",
            [
                ("Total", "£281.33"),
                ("Credit notes", "-£50.00"),
                ("Paid", "-£281.33"),
                ("Given back", "£50.00"),
            ],
        ),
        (
            {"parts": (), "notes": (NoteFacts("CRN-2027-000004", -TOTAL, LATER),)},
            "Taken back in full: nothing is owed.",
            [("Total", "£281.33"), ("Credit notes", "-£281.33")],
        ),
    ],
)
def test_it_says_how_it_stands_and_how_that_adds_up(changes, standing, settlement):
    shown = paper(**changes)

    assert shown.standing == standing
    assert list(shown.settlement) == settlement
    minor = facts(**changes)
    total = minor.total_minor + minor.credited_minor - minor.paid_minor - minor.returned_minor
    assert total == minor.due_minor


def test_each_payment_says_which_grant_or_card_it_came_from_or_went_back_to():
    """R18, R20: every penny can be traced to its grant and back."""
    back = (
        REFUND,
        Part("card", "sub/refund/1", -100, LATER, LATER, done=False),
        Part("purchase", "P-2026-0817", -200, LATER, LATER),
    )

    assert [(each.source, each.reference, each.amount) for each in paper(parts=(*PAID, *back)).payments] == [
        ("Promotional credit", "goodwill-17", "£10.00"),
        ("Purchase credit", "P-2026-0817", "£180.00"),
        ("Card", "ch_1234567890", "£91.33"),
        ("Card, refunded", "re_1234567890", "-£50.00"),
        ("Card, refund under way", "sub/refund/1", "-£1.00"),
        ("Purchase credit, put back", "P-2026-0817", "-£2.00"),
    ]


def test_a_credit_note_has_nothing_due():
    note = note_paper()

    assert (note.title, note.due, note.settlement) == ("Credit note CRN-2027-000003", "", ())
    assert note.standing == "This corrects invoice INV-2027-000012."
    assert note.issued_at != AT


def test_what_the_pdf_cannot_show_is_known_beforehand():
    assert unshown("Łódź, Ελλάδα, Москва, Việt Nam £€$¥₹ – “x”…") == ""
    assert unshown("山田山") == "山田"
    assert shown("a\nb\t山\u202ec") == "a b ��c"


def test_a_letter_with_its_accent_apart_is_one_letter():
    assert shown("Zoe\u0308") == "Zoë"
