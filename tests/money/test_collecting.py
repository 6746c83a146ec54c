"""Money that does not come at once: cards that decline, that need their owner, or are not there (R22)."""

from __future__ import annotations

from datetime import timedelta

from domain.messages import State
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.subscribed import RENEWAL_MINOR, Subscribed

ASKED = "ConfirmationNeeded"


async def test_a_card_that_declines_twice_is_replaced_and_the_new_one_is_charged_at_once(book: Book):
    """R22: declined at E-14 and E-12; a new card on the provider's page at E-10 renews in time, before E-9."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card(answers="insufficient_funds")

    await license.days_before_expiry(13)
    assert await _statuses(license) == ["insufficient_funds"]
    await license.days_before_expiry(11)
    assert await _statuses(license) == ["insufficient_funds"] * 2
    status = await license.status()
    assert (status.state, status.last_failure) == (State.COLLECTING, "CardDeclined:insufficient_funds")
    await license.days_before_expiry(10)
    assert license.renewals() == []

    await customer.new_card()
    await license.until_renewed()

    assert license.renewals() == license.one_renewal
    assert await customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert await _statuses(license) == ["insufficient_funds"] * 2 + ["succeeded"]
    [invoice] = await customer.papers()
    assert (invoice.total_minor, invoice.due_minor, invoice.paid_minor) == (RENEWAL_MINOR, 0, RENEWAL_MINOR)
    assert len(await license.notices("payment_failed")) == 1
    assert len(await license.notices("receipt")) == 1


async def test_a_renewal_that_is_never_paid_lapses_with_nothing_taken_and_every_credit_back(book: Book):
    """R20, R22: tried at E-14, E-12, E-9, E-5, E-2 and E-0; then the invoice and the credits are given back."""
    license = await book.subscription()
    customer = license.customer
    await customer.grant(50_00)
    await customer.save_card(answers="insufficient_funds")

    await license.days_before_expiry(13)
    assert await customer.credits() == [("promotional", 0)]
    await license.at(license.plan.term_ends_at + timedelta(seconds=1))

    await license.until(State.LAPSED)
    assert len(await customer.charges()) == 6
    assert {charge["amount"] for charge in await customer.charges()} == {RENEWAL_MINOR - 50_00}
    assert await customer.taken() == []
    assert await customer.credits() == [("promotional", 50_00)]
    [invoice], [note] = await customer.papers(), await customer.papers("credit_note")
    assert (invoice.due_minor, note.total_minor, note.corrects) == (0, -RENEWAL_MINOR, invoice.number)
    assert license.renewals() == []
    await license.at(license.plan.late_until_at + timedelta(seconds=1))
    assert (await license.ending()).state == State.LAPSED
    assert await customer.credits() == [("promotional", 50_00)]
    assert await customer.taken() == []


async def test_a_payment_ten_days_after_expiry_renews_late_from_the_old_expiry(book: Book):
    """R1, R22: the workflow stays open for 30 days, and the new term starts where the old one ended."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card(answers="insufficient_funds")
    await license.days_before_expiry(-10)
    assert (await license.status()).state == State.LAPSED

    await customer.new_card()
    await license.until_renewed()

    assert license.renewals() == license.one_renewal
    assert await customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert await license.orders() == ["void", "fulfilled"]
    first, second = await customer.papers()
    assert (first.due_minor, first.credited_minor) == (0, -RENEWAL_MINOR)
    assert (second.due_minor, second.paid_minor) == (0, RENEWAL_MINOR)


async def test_a_card_that_says_no_for_good_is_not_asked_again(book: Book):
    """R22: a hard decline waits for a new card; the provider sees no further attempt on any of the days."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card(answers="lost_card")

    await license.days_before_expiry(13)
    assert await _statuses(license) == ["lost_card"]
    await license.days_before_expiry(1)
    assert await _statuses(license) == ["lost_card"]

    await customer.new_card()
    await license.until_renewed()

    assert await _statuses(license) == ["lost_card", "succeeded"]
    assert license.renewals() == license.one_renewal


async def test_a_customer_whose_bank_asks_confirms_by_the_link_of_the_letter(book: Book):
    """R22: the letter has the bank's page; what the customer says there a webhook tells, and it is paid once."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card("pm_card_authenticationRequired")
    await license.days_before_expiry(13)
    assert (await license.status()).last_failure == ASKED
    await _all_told(license)
    [letter] = await license.notices("confirm_payment")
    await license.days_before_expiry(11)
    assert (await license.status()).last_failure == ASKED
    assert await _statuses(license) == ["requires_action"]

    await customer.answer_bank(letter.facts["action_url"])
    await license.until_renewed()

    assert await customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert len(await customer.charges()) == 1
    assert license.renewals() == license.one_renewal
    assert len(await license.notices("confirm_payment")) == 1


async def test_a_webhook_that_comes_late_or_twice_does_not_withdraw_what_the_customer_is_asked(book: Book):
    """R22, R25: the bank's question is itself an event; told of it again we go on waiting for the customer."""
    license = await book.subscription()
    customer = license.customer
    await book.world.payments.fault("webhook_late", None, times=1, seconds=600)
    await customer.save_card("pm_card_authenticationRequired")  # its event waits
    await book.world.payments.fault("webhook_off", None)
    await license.days_before_expiry(13)
    [letter] = await license.notices("confirm_payment")

    await book.world.payments.fault("webhook_twice", customer.reference)
    await book.world.payments.control("DELETE", "/sandbox/faults", params={"kind": "webhook_off"})
    await _all_told(license)
    await license.days_before_expiry(10)

    assert await _statuses(license) == ["requires_action"]
    await customer.answer_bank(letter.facts["action_url"])
    await license.until_renewed()
    assert await customer.taken() == [(RENEWAL_MINOR, "GBP")]


async def test_a_confirmation_that_is_not_given_is_withdrawn_at_the_lapse(book: Book):
    """R22: after the term nothing can be taken by an old link any more."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card("pm_card_authenticationRequired")
    await license.at(license.plan.term_ends_at + timedelta(seconds=1))

    await license.until(State.LAPSED)

    [letter] = await license.notices("confirm_payment")
    assert [charge["status"] for charge in await customer.charges()] == ["canceled"]
    page = await book.world.http.get(letter.facts["action_url"])
    assert page.status_code == 409
    assert await customer.taken() == []
    assert license.renewals() == []
    [invoice] = await customer.papers()
    assert invoice.due_minor == 0


async def test_a_bank_that_asks_anew_for_a_new_card_is_told_with_its_own_link(book: Book):
    """R22: the new card withdraws the old question; the letter with the old link would lead nowhere."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card("pm_card_authenticationRequired")
    await license.days_before_expiry(13)

    await customer.new_card("pm_card_authenticationRequired")

    async def told_anew() -> bool:
        return len(await license.notices("confirm_payment")) >= 2

    await eventually(told_anew, "a letter with the new link")
    await _all_told(license)
    assert await _statuses(license) == ["canceled", "requires_action"]
    await customer.answer_bank((await license.notices("confirm_payment"))[-1].facts["action_url"])
    await license.until_renewed()
    assert await customer.taken() == [(RENEWAL_MINOR, "GBP")]


async def test_one_new_card_is_tried_once_however_many_events_tell_of_it(book: Book):
    """R22, R25: three events, each sent twice, tell of one card that declines; it is asked once."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card(answers="insufficient_funds")
    await license.days_before_expiry(10)
    tried = len(await customer.charges())

    await book.world.payments.fault("webhook_twice", customer.reference)
    await customer.new_card("pm_card_chargeCustomerFail")

    async def tried_anew() -> bool:
        return len(await customer.charges()) > tried

    await eventually(tried_anew, "the new card is tried")
    await _all_told(license)
    assert await _statuses(license) == ["insufficient_funds"] * tried + ["generic_decline"]


async def _statuses(license: Subscribed) -> list[str]:
    """How each charge stands at the provider, oldest first: its decline if it has one."""
    return [charge["decline"] or charge["status"] for charge in await license.customer.charges()]


async def _all_told(license: Subscribed) -> None:
    """Wait until the portal has taken every event of the customer's, and the workflow what came of them."""

    async def none_owed() -> bool:
        events = await license.world.payments.control(
            "GET", "/sandbox/events", params={"customer": license.customer.reference}
        )
        return not [event for event in events if event["state"] == "owed"]

    await eventually(none_owed, "every event has been told")
    await license.at(license.world.clocks.now(license.workflow_id) + timedelta(minutes=1))
