"""The timeline: what happened, what is to come, until when it can be changed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain import timeline
from domain.messages import Life, State
from domain.milestones import Policy
from domain.term import Term
from domain.timeline import Event

TERM = Term(date(2026, 9, 1), date(2027, 8, 31))
NOW = datetime(2027, 7, 20, 12, tzinfo=UTC)


def life(state: State = State.ACTIVE, **changes: object) -> Life:
    given = {
        "subscription_id": "sub_1",
        "customer_id": "cus_1",
        "product": "SmarterMail Professional 250",
        "term": TERM,
        "anchor_day": 31,
        "plan": Policy().milestones(TERM),
        "state": state,
    }
    return Life.model_validate(given | changes)


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events]


def test_what_is_to_come_of_a_term_is_in_order_and_past_reminders_are_left_out():
    found = timeline.coming(life(), NOW, (240_00, 40_00, "GBP"))

    assert texts(found) == [
        "We remind you by mail, 30 days before the license expires.",
        "We remind you by mail, 16 days before the license expires.",
        "Last day to cancel: 16 August 2027, until midnight.",
        "The renewal is paid and ordered.",
        "This term ends with 31 August 2027, and the next one begins.",
    ]
    assert all(event.coming for event in found)
    assert found[3].detail == "£240.00 with tax: £40.00 from your credits, £200.00 from your card."


@pytest.mark.parametrize(
    ("credits_minor", "said"), [(0, "from your card."), (240_00, "all from your credits.")]
)
def test_the_price_says_who_pays(credits_minor: int, said: str):
    renewal = timeline.coming(life(), NOW, (240_00, credits_minor, "GBP"))[3]

    assert renewal.detail.endswith(said)


def test_of_a_cancelled_subscription_only_its_end_is_to_come():
    [end] = timeline.coming(life(State.CANCELLED, auto_renew=False), NOW)

    assert end.text == "Covered through 31 August 2027; then the subscription ends."
    assert end.at == datetime(2027, 8, 31, 23, tzinfo=UTC)


def test_a_late_cancellation_that_is_kept_is_told_at_the_end_of_the_term():
    assert timeline.coming(life(ends_after_next=True), NOW)[-1].detail == "The late cancellation is kept."


def test_a_renewal_that_waits_for_money_is_tried_again_and_lapses():
    now = datetime(2027, 8, 21, tzinfo=UTC)
    found = timeline.coming(life(State.COLLECTING), now)

    assert texts(found)[-1] == "Unpaid at the end of 31 August 2027, the license lapses."
    assert set(texts(found)[:-1]) == {"We try to collect the payment again."}


def test_a_promise_is_to_come_until_it_is_kept():
    promise = datetime(2027, 8, 18, 16, 30, tzinfo=UTC)
    now = datetime(2027, 8, 17, 12, tzinfo=UTC)

    found = timeline.coming(life(State.UPDATING, promise_at=promise), now)

    assert (found[0].at, found[0].text) == (promise, "The license is updated by now: that is our promise.")


def test_a_lapsed_one_can_be_renewed_late():
    [last] = timeline.coming(life(State.LAPSED), datetime(2027, 9, 5, tzinfo=UTC))

    assert (last.text, last.tone) == ("Last moment to renew late.", "last_chance")


@pytest.mark.parametrize(
    ("action", "details", "said"),
    [
        (
            "cancel",
            {"outcome": "accepted", "sentence": "The renewal is cancelled."},
            "The renewal is cancelled.",
        ),
        ("cancel", {"outcome": "no_change", "sentence": "Already."}, None),
        ("renew", {"to": "2028-08-31"}, "Renewed: the license now runs to 31 August 2028."),
        ("license_updated", {"addons": ["A", "B"]}, "The license was updated at the vendor; it has A, B."),
        (
            "change_at_renewal",
            {"drop_addons": ["A"], "size": "250"},
            "The next renewal leaves out A and makes it 250.",
        ),
        ("change_at_renewal", {}, "The next renewal keeps the license as it is."),
        ("sign_in", {}, None),
    ],
)
def test_a_line_of_the_audit_is_told_in_words_or_not_at_all(action: str, details: dict, said: str | None):
    told = timeline.audited(action, details)

    assert (told and told[0]) == said


def test_an_order_names_what_was_ordered():
    assert (
        timeline.ordered("addon", ["MAPI & EWS"], "INV-1", "£60.49")
        == "MAPI & EWS was ordered: £60.49, invoice INV-1."
    )
    assert timeline.ordered("renewal", [], None, "") == "The renewal was ordered."
    assert timeline.paid("upgrade", []) == "The upgrade is paid."


def test_events_are_sorted_by_their_instant():
    late, early = Event(NOW, "late"), Event(datetime(2027, 1, 1, tzinfo=UTC), "early")

    assert timeline.in_order([late, early]) == [early, late]
