"""Giving money back: the card's part to the card, credits to the grants they came from (R20)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count

import pytest

import starter
from domain.messages import State
from domain.tasks import CardRefunds, RefundRequest
from starter import RefusedByRule
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.subscribed import RENEWAL_MINOR, Subscribed

CREDIT_MINOR = 50_00
CARD_MINOR = RENEWAL_MINOR - CREDIT_MINOR
seconds = count(1)
"""Each refund is asked for at an instant of its own."""


async def test_the_vendors_final_no_gives_card_and_credits_back_and_what_has_expired_expires_again(
    book: Book,
):
    """R18, R20, R23: the card's part once to the card; each credit to its grant, where its own expiry still holds."""
    license = await book.subscription()
    customer = license.customer
    await customer.grant(30_00, expires_on=license.plan.renews_on)
    await customer.grant(20_00)
    book.world.vendor.fault("down", license.license_key)
    await license.days_before_expiry(14, "23:58")
    await customer.save_card()
    await license.until(State.UPDATING)
    assert await customer.taken() == [(CARD_MINOR, "GBP")]
    assert await customer.credits() == [("promotional", 0), ("promotional", 0)]

    await license.days_before_expiry(13, "00:05")
    marked = {"license_keys": [license.license_key], "status": "revoked"}
    book.world.vendor.control("POST", "/sandbox/licenses/status", json=marked)
    book.world.vendor.control("DELETE", "/sandbox/faults")
    await license.days_before_expiry(13, "01:00")

    assert (await license.until(State.REFUSED)).last_failure == "RevokedKey"
    assert await customer.refunds() == [CARD_MINOR]
    expiring, lasting = await customer.statement()
    assert [(line.kind, line.amount_minor) for line in expiring.lines] == [
        ("grant", 30_00),
        ("use", -30_00),
        ("refund", 30_00),
        ("expire", -30_00),
    ]
    assert (expiring.remaining_minor, lasting.remaining_minor) == (0, 20_00)
    [invoice], [note] = await customer.papers(), await customer.papers("credit_note")
    assert (invoice.due_minor, invoice.returned_minor, note.total_minor) == (
        0,
        -RENEWAL_MINOR,
        -RENEWAL_MINOR,
    )
    assert license.renewals() == []
    assert await license.orders() == ["refunded"]


async def test_staff_give_back_a_part_then_the_rest_and_never_more_than_was_paid(book: Book):
    """R20: the card first, then credits; what is left is told; each credit note says what it gave back."""
    license = await _paid_by_credit_and_card(book)
    customer = license.customer

    assert len((await _give_back(license, 30_00, "one")).payment_ids) == 1
    assert (await customer.refunds(), await customer.credits()) == ([30_00], [("promotional", 0)])
    await _give_back(license, 110_00, "two")
    assert (await customer.refunds(), await customer.credits()) == ([30_00, 100_00], [("promotional", 10_00)])
    with pytest.raises(RefusedByRule, match=r"has £40\.00 left to give back, not £40\.01"):
        await _give_back(license, 40_01, "three")
    assert (await _give_back(license, None, "four")).payment_ids == ()
    with pytest.raises(RefusedByRule, match=r"has £0\.00 left to give back"):
        await _give_back(license, None, "five")

    assert await customer.refunds() == [30_00, 100_00]
    assert await customer.credits() == [("promotional", CREDIT_MINOR)]
    notes = await customer.papers("credit_note")
    assert [note.total_minor for note in notes] == [-30_00, -110_00, -40_00]
    assert [note.returned_minor for note in notes] == [-30_00, -110_00, -40_00]
    [invoice] = await customer.papers()
    assert (invoice.due_minor, invoice.credited_minor, invoice.returned_minor) == (
        0,
        -RENEWAL_MINOR,
        -RENEWAL_MINOR,
    )
    letters = await license.notices("refund")
    assert [letter.facts["amount_minor"] for letter in letters] == [30_00, 110_00, 40_00]


async def test_the_same_refund_again_gives_back_nothing_more(book: Book):
    """R20, R25: a reference stands for one refund of an invoice, at once or asked again later."""
    license = await _paid_by_credit_and_card(book)
    customer = license.customer

    await asyncio.gather(*(_give_back(license, 60_00, "case-17") for _ in range(3)))
    await _give_back(license, 60_00, "case-17")

    assert await customer.refunds() == [60_00]
    assert [note.total_minor for note in await customer.papers("credit_note")] == [-60_00]
    assert len(await license.notices("refund")) == 1


async def test_two_refunds_at_once_cannot_give_back_more_than_was_paid(book: Book):
    """R17, R20: one of them is refused, and told what is left."""
    license = await _paid_by_credit_and_card(book)

    outcomes = await asyncio.gather(
        *(_give_back(license, 100_00, reference) for reference in ("one", "two")), return_exceptions=True
    )

    [refused] = [outcome for outcome in outcomes if isinstance(outcome, RefusedByRule)]
    assert "has £80.00 left to give back" in str(refused)
    assert await license.customer.refunds() == [100_00]


async def test_a_refund_whose_answer_is_lost_is_made_once_at_the_provider(book: Book):
    """R25: an unknown outcome is looked up before it is tried again."""
    license = await _paid_by_credit_and_card(book)
    customer = license.customer
    await book.world.payments.fault("lose_reply", customer.reference, times=1, on=["refund"])

    await _give_back(license, None, "whole")

    assert await customer.refunds() == [CARD_MINOR]
    [made] = await license.payments("refund")
    assert (made.amount_minor, made.status) == (CARD_MINOR, "succeeded")
    assert await customer.credits() == [("promotional", CREDIT_MINOR)]


async def test_a_refund_that_the_card_does_not_take_becomes_credit_once_and_all_are_told(book: Book):
    """R20: the provider says so later, more than once; nothing is lost and the books balance."""
    await book.world.deliver_webhooks()
    license = await _paid_by_credit_and_card(book, card="pm_card_refundFail")
    customer = license.customer
    await book.world.payments.fault("webhook_twice", None)

    await _give_back(license, None, "whole")

    await eventually(lambda: _stands(license, "declined"), "the failed refund is credit")
    assert await customer.refunds() == []
    assert sorted(await customer.credits()) == [("promotional", CREDIT_MINOR), ("purchase", CARD_MINOR)]
    for audience in ("customer", "staff"):
        [told] = await license.notices("refund_failed", audience)
        assert told.facts["amount_minor"] == CARD_MINOR


async def test_a_refund_that_takes_its_time_counts_when_the_provider_says_that_it_arrived(book: Book):
    """R20: until then it is pending; nothing is given back twice."""
    await book.world.deliver_webhooks()
    license = await _paid_by_credit_and_card(book, card="pm_card_pendingRefund")

    await _give_back(license, None, "whole")

    await eventually(lambda: _stands(license, "succeeded"), "the refund has arrived")
    assert await license.customer.refunds() == [CARD_MINOR]
    assert await license.customer.credits() == [("promotional", CREDIT_MINOR)]


async def _stands(license: Subscribed, status: str) -> bool:
    return [refund.status for refund in await license.payments("refund")] == [status]


async def _paid_by_credit_and_card(book: Book, card: str = "pm_card_visa") -> Subscribed:
    """A renewal, done, for £50.00 of credit and £130.00 from the card."""
    license = await book.subscription()
    await license.customer.save_card(card)
    await license.customer.grant(CREDIT_MINOR)
    await license.days_before_expiry(13)
    assert await license.customer.taken() == [(CARD_MINOR, "GBP")]
    return license


async def _give_back(license: Subscribed, amount_minor: int | None, reference: str) -> CardRefunds:
    [invoice] = await license.customer.papers()
    request = RefundRequest(
        invoice=invoice.number,
        amount_minor=amount_minor,
        reference=reference,
        by="support:jo",
        reason="a test",
        at=license.plan.renews_at + timedelta(days=2, seconds=next(seconds)),
    )
    return await starter.refund(license.world.client, request)
