"""Customers and their saved cards at Stripe. Errors are Stripe's own here: `stripe_provider` raises them as ours."""

import hashlib
import json
from typing import Final

import stripe

from domain.card import Payer, SavedCard, SetupPage
from payments.charge import Declined
from payments.stripe_answers import about, every, reference, refused, saved_card

CUSTOMER: Final = "evergreen_customer"
"""Our customer id among the metadata at Stripe."""


async def default_card(client: stripe.StripeClient, customer: str) -> str | None:
    """The card that is charged: the customer's default, else the one saved last; None if there is none."""
    found = await client.v1.customers.retrieve_async(customer)
    if getattr(found, "deleted", False):
        return None
    settings = found.invoice_settings
    default = reference(settings.default_payment_method) if settings else None
    if default:
        return default
    newest = await _newest(client, customer)
    return newest.id if newest else None


async def save(client: stripe.StripeClient, payer: Payer, token: str) -> SavedCard | Declined:
    """Attach the card to the payer and make it the default; a bank may refuse even that."""
    customer = await customer_of(client, payer)
    try:
        method = await client.v1.payment_methods.attach_async(
            token, {"customer": customer}, {"idempotency_key": f"card/{_digest([customer, token])}"}
        )
    except stripe.CardError as error:
        return refused(error)
    except stripe.InvalidRequestError:  # it may be attached already
        method = await client.v1.payment_methods.retrieve_async(token)
        if reference(method.customer) != customer:
            raise
    return await _make_default(client, customer, about(method, reference(method.customer) == customer))


async def use_newest(client: stripe.StripeClient, customer: str) -> SavedCard | None:
    """Make the customer's newest card the default."""
    newest = await _newest(client, customer)
    return await _make_default(client, customer, newest) if newest else None


async def setup_page(client: stripe.StripeClient, payer: Payer, return_url: str) -> SetupPage:
    """A Checkout Session in setup mode; each call makes another."""
    customer = await customer_of(client, payer)
    session = await client.v1.checkout.sessions.create_async(
        {
            "mode": "setup",
            "customer": customer,
            "allowed_payment_method_types": ["card"],
            "client_reference_id": payer.id,
            "success_url": return_url,
            "cancel_url": return_url,
        }
    )
    if not session.url:
        raise AttributeError("a page without an address")
    return SetupPage(session.url, customer)


async def customer_of(client: stripe.StripeClient, payer: Payer) -> str:
    """Stripe's id of the payer, who becomes a customer there if they are none; once per payer (R25).

    The idempotency key prevents a second customer for a day only, so the payer's email is looked up first.
    """
    if payer.reference:
        return payer.reference
    page = await client.v1.customers.list_async({"email": payer.email, "limit": 100})
    async for customer in every(page):
        if customer.metadata and customer.metadata.to_dict().get(CUSTOMER) == payer.id:
            return customer.id
    facts: stripe.params.CustomerCreateParams = {
        "email": payer.email,
        "name": payer.name,
        "metadata": {CUSTOMER: payer.id},
    }
    key = f"customer/{_digest([payer.id, payer.email, payer.name])}"
    made = await client.v1.customers.create_async(facts, {"idempotency_key": key})
    ours = made.metadata is not None and made.metadata.to_dict().get(CUSTOMER) == payer.id
    return about(made, ours).id


async def _newest(client: stripe.StripeClient, customer: str) -> stripe.PaymentMethod | None:
    page = await client.v1.payment_methods.list_async({"customer": customer, "type": "card", "limit": 1})
    return page.data[0] if page.data else None


async def _make_default(
    client: stripe.StripeClient, customer: str, method: stripe.PaymentMethod
) -> SavedCard:
    """No key of ours: it may be set anew at any time, and a repeat that only seems done would be wrong."""
    await client.v1.customers.update_async(
        customer, {"invoice_settings": {"default_payment_method": method.id}}
    )
    return saved_card(method)


def _digest(facts: list[str]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
