"""Charges at Stripe: PaymentIntents, confirmed as they are made, without the customer being there ("off session").

Errors are Stripe's own here: `stripe_provider` raises them as ours.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import stripe

from payments import declines, stripe_cards
from payments.charge import Charge, Declined, Outcome
from payments.stripe_answers import (
    KEY,
    about,
    declined,
    every,
    key_of,
    outcome,
    reference,
    waits_for_its_customer,
)

CLOCKS_DIFFER: Final = timedelta(hours=1)
PAGE: Final = 100  # the most that Stripe lists at once
STANDING: Final = ("succeeded", "processing", "requires_action")  # of several attempts, the one that counts


async def charge(client: stripe.StripeClient, wanted: Charge, return_url: str) -> Outcome:
    """Charge the card once per key (R25). A decline is Stripe's error, with the charge in it."""
    card = wanted.payment_method or await stripe_cards.default_card(client, wanted.customer_reference)
    if card is None:
        return Declined(declines.NO_CARD, declines.kind(declines.NO_CARD))
    params: stripe.params.PaymentIntentCreateParams = {
        "amount": wanted.amount_minor,
        "currency": wanted.currency.lower(),
        "customer": wanted.customer_reference,
        "payment_method": card,
        "allowed_payment_method_types": ["card"],
        "description": wanted.description,
        "metadata": {**wanted.metadata, KEY: wanted.key},
        "confirm": True,
        "off_session": True,
    }
    try:
        intent = await client.v1.payment_intents.create_async(params, {"idempotency_key": wanted.key})
    except stripe.CardError as error:
        intent = _intent(error)
    asked = (wanted.key, wanted.amount_minor, wanted.currency.lower())
    about(intent, (key_of(intent), intent.amount, intent.currency) == asked)
    return await _settled(client, intent, return_url)


async def find(
    client: stripe.StripeClient, key: str, customer: str, since: datetime, return_url: str
) -> Outcome | None:
    """How the charge with our key stands, None if there is none.

    The customer's charges are listed and their keys compared: Stripe's search would be one request, but it sees
    a new charge only after a while (up to a minute), and a None that is too early charges twice (R25).
    """
    begun = int((since - CLOCKS_DIFFER).timestamp())
    page = await client.v1.payment_intents.list_async(
        {"customer": customer, "created": {"gte": begun}, "limit": PAGE}
    )
    attempts = [intent async for intent in every(page) if key_of(intent) == key]
    if not attempts:
        return None
    return await _settled(client, max(attempts, key=lambda attempt: attempt.status in STANDING), return_url)


async def withdraw(client: stripe.StripeClient, charge_reference: str) -> Outcome:
    """Cancel the charge; one that is past that is read instead."""
    try:
        return outcome(await client.v1.payment_intents.cancel_async(charge_reference))
    except stripe.InvalidRequestError as error:
        if error.code != "payment_intent_unexpected_state":
            raise
    return outcome(await client.v1.payment_intents.retrieve_async(charge_reference))


async def begun_between(
    client: stripe.StripeClient, since: datetime, until: datetime | None
) -> AsyncIterator[stripe.PaymentIntent]:
    """Every charge that was begun between the instants, newest first, page by page; Stripe counts whole seconds."""
    begun: stripe.params.PaymentIntentListParamsCreated = {"gte": int(since.timestamp())}
    if until is not None:
        begun["lte"] = int(until.timestamp())
    page = await client.v1.payment_intents.list_async(
        {"created": begun, "limit": PAGE, "expand": ["data.latest_charge"]}
    )
    async for intent in every(page):
        yield intent


async def by_reference(client: stripe.StripeClient, charge_reference: str) -> stripe.PaymentIntent | None:
    """A charge as it stands; None if there is none by this reference."""
    try:
        return await client.v1.payment_intents.retrieve_async(charge_reference, {"expand": ["latest_charge"]})
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        return None


async def _settled(client: stripe.StripeClient, intent: stripe.PaymentIntent, return_url: str) -> Outcome:
    """The outcome; where the bank wants the customer, the charge is confirmed anew as if the customer were there.

    That yields a page to send them to. The charge is read first: the answer to a repeated request may be older
    than what the customer has done since.
    """
    if not waits_for_its_customer(intent):
        return outcome(intent)
    intent = await client.v1.payment_intents.retrieve_async(intent.id)
    error = intent.last_payment_error
    if error is None or not waits_for_its_customer(intent):
        return outcome(intent)
    params: stripe.params.PaymentIntentConfirmParams = {
        "payment_method": reference(error.payment_method) or "",
        "return_url": return_url,
    }
    key = f"ask/{intent.id}"
    try:
        return outcome(
            await client.v1.payment_intents.confirm_async(intent.id, params, {"idempotency_key": key})
        )
    except stripe.CardError as refusal:
        return declined(_intent(refusal))


def _intent(error: stripe.CardError) -> stripe.PaymentIntent:
    """The charge that a decline is about. Raises the error itself if it is about none."""
    if error.error is None or not isinstance(error.error.payment_intent, stripe.PaymentIntent):
        raise error
    return error.error.payment_intent
