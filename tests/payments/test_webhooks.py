"""What the provider tells by itself: read, forged, repeated, out of order."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from stripe import WebhookSignature

from domain.card import SavedCard
from payments.charge import ActionRequired, Charged, Declined, Refund, Refunded
from payments.stripe_answers import KEY
from payments.stripe_provider import StripeProvider
from payments.webhooks import (
    BadSignature,
    CardSaved,
    ChargeRefunded,
    ChargeSettled,
    NotUnderstood,
    RefundSettled,
    read,
)
from tests.payments.running import (
    PATIENCE_SECONDS,
    WEBHOOK_SECRET,
    Receiver,
    Sandbox,
    charge_of,
    new_key,
    new_payer,
)

AT = datetime(2027, 8, 17, 9, tzinfo=UTC)
INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 6049,
    "amount_received": 6049,
    "created": int(AT.timestamp()),
    "currency": "gbp",
    "customer": "cus_1",
    "last_payment_error": None,
    "metadata": {KEY: "sub-1/charge"},
    "next_action": None,
    "status": "succeeded",
}
REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 49,
    "created": int(AT.timestamp()),
    "currency": "gbp",
    "metadata": {KEY: "sub-1/refund"},
    "payment_intent": "pi_1",
    "status": "failed",
}


def told(kind: str, about: dict[str, Any]) -> bytes:
    event = {"id": "evt_1", "object": "event", "type": kind, "created": int(AT.timestamp())}
    return json.dumps(event | {"data": {"object": about}}).encode()


def read_signed(body: bytes) -> object:
    return read(
        body, WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET), WEBHOOK_SECRET
    )


def test_a_charge_that_came_to_an_outcome():
    assert read_signed(told("payment_intent.succeeded", INTENT)) == ChargeSettled(
        "evt_1", AT, "sub-1/charge", "cus_1", Charged("pi_1", 6049, "GBP", AT)
    )


def test_a_charge_that_was_declined_withdrawn_or_waits_for_its_customer():
    error = {"code": "card_declined", "decline_code": "lost_card"}
    page = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example/1"}}
    declined = INTENT | {"status": "requires_payment_method", "last_payment_error": error}
    waits = INTENT | {"status": "requires_action", "next_action": page}
    outcomes = [
        read_signed(told("payment_intent.payment_failed", declined)),
        read_signed(told("payment_intent.canceled", INTENT | {"status": "canceled"})),
        read_signed(told("payment_intent.requires_action", waits)),
    ]

    assert [outcome.outcome for outcome in outcomes if isinstance(outcome, ChargeSettled)] == [
        Declined("lost_card", "hard", "pi_1"),
        Declined("canceled", "soft", "pi_1"),
        ActionRequired("https://bank.example/1", "pi_1"),
    ]


def test_a_charge_that_the_bank_wants_approved_is_not_settled_by_the_first_no():
    """Whoever charges asks for the bank's page next; the decline is on its way meanwhile."""
    error = {"code": "authentication_required", "decline_code": "authentication_required"}
    declined = INTENT | {"status": "requires_payment_method", "last_payment_error": error}

    assert read_signed(told("payment_intent.payment_failed", declined)) is None


def test_a_charge_or_refund_that_somebody_made_at_the_provider_has_no_key_of_ours():
    charge = read_signed(told("payment_intent.succeeded", INTENT | {"metadata": {}}))
    refund = read_signed(told("refund.created", REFUND | {"metadata": None}))

    assert isinstance(charge, ChargeSettled)
    assert isinstance(refund, RefundSettled)
    assert (charge.key, refund.key) == (None, None)


def test_a_refund_that_failed_later():
    failed = Refunded("re_1", 49, "GBP", "failed", AT)

    for kind in ("refund.updated", "refund.failed"):
        assert read_signed(told(kind, REFUND)) == RefundSettled("evt_1", AT, "sub-1/refund", "pi_1", failed)


def test_money_of_a_charge_that_went_back():
    charge = {
        "id": "ch_1",
        "object": "charge",
        "payment_intent": "pi_1",
        "amount_refunded": 49,
        "currency": "gbp",
    }

    assert read_signed(told("charge.refunded", charge)) == ChargeRefunded("evt_1", AT, "pi_1", 49, "GBP")


def test_a_card_that_was_saved_by_whichever_event():
    method = {"id": "pm_1", "object": "payment_method", "customer": "cus_1", "type": "card"}
    setup = {"id": "seti_1", "object": "setup_intent", "customer": "cus_1", "payment_method": "pm_1"}
    session = {"id": "cs_1", "object": "checkout.session", "customer": "cus_1", "mode": "setup"}

    assert read_signed(told("payment_method.attached", method)) == CardSaved("evt_1", AT, "cus_1", "pm_1")
    assert read_signed(told("setup_intent.succeeded", setup)) == CardSaved("evt_1", AT, "cus_1", "pm_1")
    assert read_signed(told("checkout.session.completed", session)) == CardSaved("evt_1", AT, "cus_1", None)


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("customer.created", {"object": "customer"}),
        ("a.kind.of.next.year", {}),
        (
            "checkout.session.completed",
            {"object": "checkout.session", "customer": "cus_1", "mode": "payment"},
        ),
        (
            "payment_method.attached",
            {"object": "payment_method", "customer": "cus_1", "type": "link", "id": "pm_1"},
        ),
    ],
)
def test_an_event_we_have_no_use_for_is_none(kind: str, about: dict[str, Any]):
    assert read_signed(told(kind, about)) is None


def test_an_event_that_lacks_what_we_rely_on_is_told_apart_from_a_forged_one():
    with pytest.raises(NotUnderstood):
        read_signed(told("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_1"}))


@pytest.mark.parametrize(
    ("secret", "age_seconds", "change"),
    [("whsec_another", 0, b""), (WEBHOOK_SECRET, 301, b""), (WEBHOOK_SECRET, 0, b" ")],
    ids=["signed by another", "too old", "changed on the way"],
)
def test_a_bad_signature_is_refused(secret: str, age_seconds: int, change: bytes):
    body = told("payment_intent.succeeded", INTENT)
    header = WebhookSignature.generate_signature_header(body.decode(), secret, int(time.time()) - age_seconds)

    with pytest.raises(BadSignature) as refused:
        read(body + change, header, WEBHOOK_SECRET)

    assert "pi_1" not in str(refused.value)


@pytest.mark.parametrize("signature", [None, "", "v1=0", "t=x,v1=0", "t=1"])
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"[]"])
def test_what_is_not_signed_at_all_is_refused(signature: str | None, body: bytes):
    with pytest.raises(BadSignature):
        read(body, signature, WEBHOOK_SECRET)


async def test_a_charge_is_told_by_an_event_with_our_key(
    provider: StripeProvider, customer: str, receiver: Receiver
):
    charge = charge_of(customer)
    charged = await provider.charge(charge)

    (event,) = await receiver.until(customer, 1, ChargeSettled)

    assert isinstance(event, ChargeSettled)
    assert (event.key, event.customer_reference, event.outcome) == (charge.key, customer, charged)


async def test_a_refund_is_told_by_events(provider: StripeProvider, customer: str, receiver: Receiver):
    charged = await provider.charge(charge_of(customer))
    assert isinstance(charged, Charged)
    refund = Refund(new_key(), charged.reference, 49)
    refunded = await provider.refund(refund)

    (event,) = await receiver.until(charged.reference, 1, RefundSettled)
    (total,) = await receiver.until(charged.reference, 1, ChargeRefunded)

    assert isinstance(event, RefundSettled)
    assert isinstance(total, ChargeRefunded)
    assert (event.key, event.charge_reference, event.refund) == (refund.key, charged.reference, refunded)
    assert (total.reference, total.refunded_minor) == (charged.reference, 49)


async def test_an_approved_charge_is_told_after_the_question(
    provider: StripeProvider, client: httpx.AsyncClient, receiver: Receiver
):
    saved = await provider.save_card(new_payer(), "pm_card_authenticationRequired")
    assert isinstance(saved, SavedCard)
    action = await provider.charge(charge_of(saved.customer_reference))
    assert isinstance(action, ActionRequired)
    await client.post(action.url, data={"answer": "approve"})

    events = await receiver.until(saved.customer_reference, 2, ChargeSettled)

    outcomes = [event.outcome for event in events if isinstance(event, ChargeSettled)]
    assert outcomes[0] == action
    assert isinstance(outcomes[1], Charged)


async def test_an_event_may_come_twice_and_is_known_by_its_id(
    provider: StripeProvider, customer: str, receiver: Receiver, sandbox: Sandbox
):
    await sandbox.fault("webhook_twice", customer)
    await provider.charge(charge_of(customer))

    first, second = await receiver.until(customer, 2, ChargeSettled)
    await sandbox.control("DELETE", "/sandbox/faults")

    assert first == second


async def test_a_newer_event_may_come_first(
    provider: StripeProvider, customer: str, receiver: Receiver, sandbox: Sandbox
):
    await sandbox.fault("webhook_late", customer, seconds=0.5, times=3)  # all that the first charge tells
    older, newer = charge_of(customer), charge_of(customer)
    await provider.charge(older)
    await provider.charge(newer)

    events = await receiver.until(customer, 2, ChargeSettled)

    assert [event.key for event in events if isinstance(event, ChargeSettled)] == [newer.key, older.key]


async def test_an_event_that_is_not_taken_comes_again(
    provider: StripeProvider, customer: str, receiver: Receiver, sandbox: Sandbox
):
    receiver.answers = [500, 404, 500]
    await provider.charge(charge_of(customer))

    await receiver.until(customer, 1, ChargeSettled)

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS):
        record = await sandbox.control("GET", "/sandbox/events", params={"customer": customer})
    assert sum(event["attempts"] for event in record if event["state"] == "arrived") > 3


async def test_webhooks_may_be_off_and_on_again_or_lost(
    provider: StripeProvider, customer: str, receiver: Receiver, sandbox: Sandbox
):
    await sandbox.fault("webhook_off", customer)
    held = charge_of(customer)
    await provider.charge(held)
    assert receiver.events(customer) == []
    await sandbox.control("DELETE", "/sandbox/faults", params={"kind": "webhook_off"})
    await receiver.until(customer, 1, ChargeSettled)

    await sandbox.fault("webhook_lost", customer, times=3)
    await provider.charge(charge_of(customer))
    after = charge_of(customer)
    await provider.charge(after)
    events = await receiver.until(customer, 2, ChargeSettled)

    assert [event.key for event in events if isinstance(event, ChargeSettled)] == [held.key, after.key]
