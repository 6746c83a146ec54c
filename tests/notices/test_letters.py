"""What the letters say, in both their forms."""

import html
import re
from typing import Any

import pytest

from db.notices import Audience
from notices.letters import Letter, Letterhead, LetterNotWritten, kinds, letter, template_kind
from tests.notices.facts import HELD, NEEDED, RENEWAL, SAMPLES, WITHOUT_CUSTOMER, needed

HEAD = Letterhead("Servertastic", portal_url="https://portal.example")
HOSTILE = "Ann <script>alert(1)</script>\r\nBcc: all@example.com \u202e"
EVERY = sorted(NEEDED)

SAYS: dict[tuple[Audience, str], list[str]] = {
    ("customer", "reminder_60"): [
        "£180.00", "£120.50", "£59.50", "17 August 2027", "by the end of 16 August 2027",
        "https://portal.example", "click Cancel Subscription", "covered through 31 August 2027",
    ],
    ("customer", "renewal_fixed"): [
        "£180.00", "£120.50", "£59.50", "17 August 2027", "can no longer be cancelled", "16 August 2027",
        "the one after it", "click Cancel Subscription",
    ],
    ("customer", "payment_failed"): [
        "no card is saved", "£180.00", "£120.50", "£59.50", "until 31 August 2027", "nothing is taken",
        "https://portal.example",
    ],
    ("customer", "confirm_payment"): ["https://bank.example/confirm?id=1&step=2", "£59.50", "31 August 2027"],
    ("customer", "receipt"): [
        "INV-2027-000042", "£180.00", "£120.50", "£59.50", "SmarterMail Enterprise 250, 12 months", "£150.00",
        "18 August 2027, 17:30", "••••4242",
    ],
    ("customer", "order_to_pay"): ["Enterprise 500", "INV-2027-000042", "£180.00", "https://bank.example/confirm"],
    ("customer", "license_updated"): [
        "the vendor's own record shows it", "31 August 2027", "MAPI & EWS, Message Sniffer",
    ],
    ("customer", "cancel_accepted"): ["31 August 2028", "16 August 2027", "Resume Subscription", "Asked by", "you"],
    ("customer", "cancel_deferred"): [
        "this renewal goes ahead", "The cancellation is kept", "16 August 2027", "31 August 2028",
        "17 August 2027, 00:00",
    ],
    ("customer", "resume_accepted"): ["31 August 2028", "If you do not want the next renewal"],
    ("customer", "lapsed"): ["31 August 2027", "Nothing was taken", "through 30 September 2027", "renew late"],
    ("customer", "expired"): ["As you asked", "31 August 2027", "Credits stay on your account"],
    ("customer", "ended_lapsed"): ["the time to pay it late is over", "31 August 2027"],
    ("customer", "ended_refused"): ["The vendor would not update", "31 August 2027", "given back"],
    ("customer", "update_refused"): ["given back in full", "credits to your account", "told"],
    ("customer", "refund"): ["£60.49", "INV-2027-000042", "CRN-2027-000003"],
    ("customer", "refund_failed"): ["£60.49", "did not take it", "as credit"],
    ("customer", "request_accepted"): ["req_1", "larger size", "Enterprise 500 it is.", "a letter of its own"],
    ("customer", "request_declined"): ["req_1", "larger size", "Enterprise 500 it is.", "Nothing has been changed"],
    ("customer", "sign_in"): ["https://portal.example/sign-in/link/x7Yk", "18 August 2027, 17:45", "once"],
    ("staff", "sign_in"): ["https://portal.example/sign-in/link/x7Yk", "18 August 2027, 17:45", "as staff"],
    ("staff", "webhook_disabled"): ["whe_1", "https://billing.example/evergreen", "webhook-replay whe_1"],
    ("staff", "update_refused"): ["sub_7", "NoCard", "get in touch with the customer"],
    ("staff", "promise_broken"): ["sub_7", "18 August 2027, 17:30", "should have been updated by now"],
    ("staff", "promise_soon"): ["sub_7", "18 August 2027, 17:30", "••••1A2B"],
    ("staff", "update_by_hand"): ["31 August 2028", "MAPI & EWS, Message Sniffer", "upd_1"],
    ("staff", "refund_failed"): ["sub_7", "£60.49", "as credit"],
    ("staff", "differences_found"): ["workflow_missing (healed)", "sub_7", "license_differs", "sub_8"],
    ("staff", "request_new"): ["req_1", "larger size", "accept or decline"],
}  # fmt: skip


def written(audience: Audience, kind: str, facts: dict[str, Any], name: str = "Ann Example") -> Letter:
    return letter(kind, facts, name, audience=audience, subscription_id="sub_7", letterhead=HEAD)


def words(text: str) -> str:
    return " ".join(text.split())


def shown(markup: str) -> str:
    """What a reader sees of the HTML, and where its links lead."""
    body = markup.split("<main>")[1]
    linked = re.sub(r'<a href="([^"]*)">(.*?)</a>', r"\2 \1", body)
    return words(html.unescape(re.sub(r"<[^>]+>", " ", linked)))


def test_there_is_an_example_for_every_template_and_a_template_for_every_example():
    templates = {(audience, kind) for audience in ("customer", "staff") for kind in kinds(audience)}

    assert {(audience, template_kind(kind)) for audience, kind in NEEDED} == templates
    assert SAYS.keys() == NEEDED.keys()


@pytest.mark.parametrize(("audience", "kind"), EVERY)
def test_R6_a_letter_says_what_it_has_to_in_both_forms(audience: Audience, kind: str):
    made = written(audience, kind, SAMPLES)

    for snippet in SAYS[audience, kind]:
        assert snippet in words(made.text)
        assert snippet in shown(made.html)
    assert made.subject in html.unescape(made.html.split("<title>")[1].split("</title>")[0])


@pytest.mark.parametrize(("audience", "kind"), EVERY)
def test_a_letter_is_written_with_the_fewest_facts_and_not_with_fewer(audience: Audience, kind: str):
    fewest = needed(audience, kind)
    assert "None" not in written(audience, kind, fewest).text

    for fact in NEEDED[audience, kind]:
        with pytest.raises(LetterNotWritten, match=fact):
            written(audience, kind, {key: value for key, value in fewest.items() if key != fact})


@pytest.mark.parametrize(("audience", "kind"), [each for each in EVERY if each not in WITHOUT_CUSTOMER])
def test_a_hostile_name_stays_a_name(audience: Audience, kind: str):
    made = written(audience, kind, SAMPLES, HOSTILE)

    assert "<script" not in made.html
    assert "&lt;script&gt;" in made.html
    assert "\n" not in made.subject
    assert "\nBcc" not in made.text
    assert "\u202e" not in made.text + made.html + made.subject


@pytest.mark.parametrize(("audience", "kind"), EVERY)
def test_the_html_is_plain_readable_on_a_phone_and_loads_nothing(audience: Audience, kind: str):
    made = written(audience, kind, SAMPLES)

    assert made.html.startswith('<!doctype html>\n<html lang="en">')
    assert 'name="viewport"' in made.html
    assert "@media print" in made.html
    assert not re.search(r"<(img|script|link|iframe|form|object)|url\(|src=|@import", made.html)
    assert made.html.count("<h1>") == 1
    assert not re.search(r"<th(?! scope=)", made.html)


@pytest.mark.parametrize(("audience", "kind"), EVERY)
def test_the_text_is_in_lines_that_every_mail_program_shows(audience: Audience, kind: str):
    text = written(audience, kind, SAMPLES).text

    assert not re.search(r"<[a-z/]|&[a-z]+;|\n\n\n| \n|\{|\}", text)
    assert all(len(line) <= 110 for line in text.splitlines() if "http" not in line)
    assert text.endswith("\n")


def test_R28_no_more_of_a_license_key_than_its_last_four_characters():
    made = written("customer", "reminder_30", {**RENEWAL, "last_four": "SM-SECRET-KEY-9Z8Y"})

    assert "••••9Z8Y" in made.text
    assert "SECRET" not in made.text + made.html + made.subject


def test_without_a_portal_a_customer_cancels_by_replying():
    made = letter("reminder_16", RENEWAL, "Ann")

    assert "16 August 2027 (time zone Europe/London): reply to this e-mail and say so" in words(made.text)


def test_credits_that_cover_it_all_leave_nothing_to_do():
    made = written("customer", "reminder_16", {**RENEWAL, "credits_minor": 180_00, "remainder_minor": 0})

    assert "nothing will be taken from a card and there is nothing for you to do" in words(made.text)
    assert "£0.00" in made.text


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("CardDeclined:expired_card", "Your card has expired."),
        ("CardDeclined:stolen_card", "Your card was declined."),
        ("SomethingNew", "and could not."),
    ],
)
def test_R22_a_failed_payment_says_why_in_words_and_no_more_than_it_should(reason: str, sentence: str):
    made = written("customer", "payment_failed", {**RENEWAL, "reason": reason})

    assert sentence in words(made.text)
    assert "stolen" not in made.text
    assert "SomethingNew" not in made.text


def test_R27_a_key_that_is_taken_in_is_said_to_be_looked_after():
    asked = {"request_id": "req_1", "request_kind": "add_key", "answer": None}

    taken_in = written("customer", "request_accepted", RENEWAL | asked)
    other = written("customer", "request_accepted", asked | {"request_kind": "other"})

    assert "We look after your license from now on" in words(taken_in.text)
    assert "click Cancel Subscription" in words(taken_in.text)
    assert "look after your license from" not in words(other.text)


def test_an_unpaid_order_that_is_no_renewal_threatens_no_lapse():
    facts = {**RENEWAL, "reason": "NoCard", "order_kind": "addon"}

    made = written("customer", "payment_failed", facts)

    assert "Until then your license stays as it is" in words(made.text)
    assert "not renewed" not in made.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://bank.example/ x"])
def test_a_link_leads_to_the_web_or_the_letter_is_not_written(url: str):
    with pytest.raises(LetterNotWritten):
        written("customer", "confirm_payment", {**SAMPLES, "action_url": url})


def test_a_fact_that_is_none_counts_as_not_given():
    made = written("customer", "payment_failed", {**RENEWAL, "reason": "NoCard", "action_url": None})

    assert "Save a card or add credit" in made.text
    with pytest.raises(LetterNotWritten, match="action_url"):
        written("customer", "confirm_payment", {**RENEWAL, "action_url": None})


def test_a_letter_that_cannot_be_written_says_why_and_quotes_no_fact():
    with pytest.raises(LetterNotWritten, match=r"customer letter 'no_such_kind': TemplateNotFound"):
        written("customer", "no_such_kind", HELD)
    with pytest.raises(LetterNotWritten) as wrong:
        written("customer", "expired", {**HELD, "expires_on": "a-secret"})
    assert "a-secret" not in str(wrong.value)
