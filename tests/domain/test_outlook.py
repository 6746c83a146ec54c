"""What people read about a subscription in the Temporal UI."""

from datetime import UTC, datetime

import pytest

from domain import collection
from domain.messages import Life, Paid, Refused, State
from domain.milestones import Policy
from domain.outlook import HEADLINES, REASONS, markdown, why
from domain.term import term_ending

TERM = term_ending(datetime(2027, 8, 31).date())  # noqa: DTZ001  # only its day is used
LIFE = Life(
    subscription_id="sub_1",
    customer_id="cus_1",
    product="SmarterMail Professional 250",
    term=TERM,
    anchor_day=31,
    plan=Policy().milestones(TERM),
)
AT = datetime(2027, 8, 19, 16, 30, tzinfo=UTC)


def test_the_page_says_what_comes_next_when_and_until_when_it_can_be_changed() -> None:
    page = markdown(LIFE)

    assert "**Will renew.** Renews on 17 August 2027" in page
    assert "| through 16 August 2027 | a cancellation stops the coming renewal |" in page
    assert "| 17 August 2027, 08:00 UTC | renewal: credits are used, the card pays the rest |" in page
    assert "| through 31 August 2027 | the license is covered, since 1 September 2026 |" in page


def test_a_reminder_that_was_sent_is_struck_out() -> None:
    page = markdown(LIFE.model_copy(update={"reminders_sent": 1}))

    assert "| ~~2 July 2027, 08:00 UTC~~ sent | reminder, 60 days before expiry |" in page
    assert "| 1 August 2027, 08:00 UTC | reminder, 30 days before expiry |" in page


def test_a_cancelled_one_is_not_said_to_renew() -> None:
    page = markdown(LIFE.model_copy(update={"state": State.CANCELLED, "auto_renew": False}))

    assert "**Cancelled.** Will not renew" in page
    assert "renewal: credits" not in page


def test_who_waits_for_money_is_told_why_and_when_it_is_tried_again() -> None:
    waiting = {"state": State.COLLECTING, "failure": "CardDeclined:insufficient_funds"}
    page = markdown(LIFE.model_copy(update=waiting))

    assert (
        "**Why it waits:** the card was declined (`CardDeclined`, the bank says insufficient_funds)." in page
    )
    assert "| 19 Aug · 22 Aug · 26 Aug · 29 Aug · 31 Aug | the payment is tried again |" in page


def test_a_promise_a_refused_signal_and_what_is_paid_are_on_the_page() -> None:
    paid = Paid(order_id="ord_1", kind="addon", paid_at=AT, promise_at=AT)
    refused = Refused(at=AT, signal="cansel", reason="there is no such signal")
    page = markdown(LIFE.model_copy(update={"open_orders": (paid,), "refusals": (refused,)}))

    assert "| by 19 August 2027, 16:30 UTC | promised: the license is updated at the vendor |" in page
    assert "`cansel` at 19 August 2027, 16:30 UTC: there is no such signal" in page
    assert "**Paid and to be done:** addon, promised by 19 August 2027, 16:30 UTC" in page


def test_every_page_tells_how_to_change_it_and_what_not_to_press() -> None:
    for state in State:
        page = markdown(LIFE.model_copy(update={"state": state}))
        assert page.startswith("### SmarterMail Professional 250")
        assert "Never *Terminate*" in page


@pytest.mark.parametrize("state", State)
def test_every_state_has_words(state: State) -> None:
    assert state in HEADLINES


@pytest.mark.parametrize("code", [collection.NO_CARD, collection.TO_CONFIRM, collection.DECLINED])
def test_every_reason_why_money_is_missing_has_words(code: str) -> None:
    assert code in REASONS
    assert why(code).endswith(f"(`{code}`)")


def test_a_reason_that_is_new_still_shows_its_code() -> None:
    assert "`Sunspots`" in why("Sunspots")
