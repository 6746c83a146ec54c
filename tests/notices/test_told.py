"""Whatever is told somewhere has a letter, and the letter can be written with the facts its caller gives."""

import pytest

from notices.letters import kinds, letter, template_kind
from tests.notices.facts import SAMPLES, WITHOUT_CUSTOMER
from tests.notices.told import ROOT, Told, all_told

TOLD, UNREAD = all_told()
R6 = {"total_minor", "credits_minor", "remainder_minor", "renews_on", "cancel_by"}


def by_kind(told: Told) -> str:
    return f"{told.audience}-{told.kind}"


def test_the_search_finds_the_notices_that_are_told():
    """Else the tests below would pass for want of anything to test."""
    found = {(told.audience, told.kind) for told in TOLD}

    assert not UNREAD
    assert found >= {
        ("customer", "reminder_60"),
        ("customer", "cancel_deferred"),
        ("customer", "update_refused"),
        ("staff", "update_refused"),
        ("staff", "promise_broken"),
        ("customer", "ended_lapsed"),
        ("customer", "receipt"),
        ("customer", "payment_failed"),
        ("staff", "refund_failed"),
    }


@pytest.mark.parametrize("told", TOLD, ids=by_kind)
def test_every_notice_that_is_told_has_a_letter_for_its_facts(told: Told):
    assert template_kind(told.kind) in kinds("staff" if told.audience == "staff" else "customer"), told.place
    unknown = told.facts - SAMPLES.keys()
    assert not unknown, f"{told.place}: give {unknown} a value in tests/notices/facts.py, of its true type"
    facts = {fact: SAMPLES[fact] for fact in told.facts}

    written = letter(told.kind, facts, "Ann", audience="staff" if told.audience == "staff" else "customer")

    assert written.subject
    assert ("Ann" in written.text) is ((told.audience, told.kind) not in WITHOUT_CUSTOMER)


@pytest.mark.parametrize("told", [t for t in TOLD if t.kind.startswith("reminder")], ids=by_kind)
def test_R6_a_reminder_is_given_all_that_it_must_name(told: Told):
    assert told.facts >= R6, told.place


def test_every_kind_is_explained_in_the_documentation():
    page = (ROOT / "docs" / "notices.md").read_text()

    for audience in ("customer", "staff"):
        section = page.split(f"## To {'staff' if audience == 'staff' else 'customers'}")[1].split("\n## ")[0]
        for kind in kinds(audience):
            assert f"| `{kind}" in section, f"{kind} is missing in docs/notices.md"
