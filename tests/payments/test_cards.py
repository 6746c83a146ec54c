"""Saving cards: by a token, or on the provider's own page."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from domain.card import SavedCard
from payments.charge import Charged, Declined
from payments.payment_provider import PaymentMisused
from payments.stripe_provider import StripeProvider
from payments.webhooks import CardSaved
from tests.payments.running import RETURN_URL, Receiver, Sandbox, charge_of, new_payer


async def test_a_card_is_saved_by_its_token_shown_by_its_last_digits_and_charged(provider: StripeProvider):
    saved = await provider.save_card(new_payer(), "pm_card_visa")

    assert isinstance(saved, SavedCard)
    assert (saved.brand, saved.last4, saved.expires[1] in range(1, 13)) == ("visa", "4242", True)
    assert isinstance(await provider.charge(charge_of(saved.customer_reference)), Charged)


async def test_saving_again_makes_neither_another_customer_nor_another_card(provider: StripeProvider):
    """R25: the activity that saves it may run twice."""
    payer = new_payer()

    first = await provider.save_card(payer, "pm_card_visa")

    assert await provider.save_card(payer, "pm_card_visa") == first


async def test_a_customer_who_is_known_stays_the_same_and_gets_the_other_card(provider: StripeProvider):
    payer = new_payer()
    first = await provider.save_card(payer, "pm_card_visa")
    assert isinstance(first, SavedCard)

    second = await provider.save_card(
        replace(payer, reference=first.customer_reference), "pm_card_mastercard"
    )

    assert isinstance(second, SavedCard)
    assert (second.customer_reference, second.brand) == (first.customer_reference, "mastercard")


async def test_the_default_card_is_the_one_that_is_charged(provider: StripeProvider, saved: SavedCard):
    """The newer card declines: it is the default from the moment it is saved."""
    payer = replace(new_payer(), reference=saved.customer_reference)
    await provider.save_card(payer, "pm_card_chargeCustomerFail")

    assert isinstance(await provider.charge(charge_of(saved.customer_reference)), Declined)
    older = charge_of(saved.customer_reference, payment_method=saved.payment_method)
    assert isinstance(await provider.charge(older), Charged)


async def test_a_card_that_the_bank_refuses_is_not_saved(provider: StripeProvider, customer: str):
    payer = replace(new_payer(), reference=customer)

    declined = await provider.save_card(payer, "pm_card_visa_chargeDeclinedLostCard")

    assert declined == Declined("lost_card", "hard")
    assert isinstance(await provider.charge(charge_of(customer)), Charged)


async def test_a_card_of_somebody_else_is_a_misuse(provider: StripeProvider, saved: SavedCard):
    with pytest.raises(PaymentMisused):
        await provider.save_card(new_payer(), saved.payment_method)


async def test_a_card_that_is_saved_already_may_be_saved_again_by_its_reference(
    provider: StripeProvider, saved: SavedCard
):
    payer = replace(new_payer(), reference=saved.customer_reference)

    assert await provider.save_card(payer, saved.payment_method) == saved


async def test_the_page_for_a_new_card_is_the_provider_s_own(provider: StripeProvider):
    page = await provider.setup_page(new_payer(), RETURN_URL)

    assert page.url.startswith("http")
    assert page.customer_reference.startswith("cus_")


async def test_a_card_is_saved_on_the_page_and_used_from_then_on(
    provider: StripeProvider, client: httpx.AsyncClient, saved: SavedCard, receiver: Receiver
):
    """Plain HTML: a form, a choice, a redirect back; no scripts."""
    payer = replace(new_payer(), reference=saved.customer_reference)
    page = await provider.setup_page(payer, RETURN_URL)

    form = (await client.get(page.url)).text
    refused = await client.post(page.url, data={"card": "pm_card_chargeDeclinedExpiredCard"})
    back = await client.post(page.url, data={"card": "pm_card_mastercard"})

    assert 'value="pm_card_mastercard"' in form
    assert "<script" not in form
    assert (refused.status_code, "Your card has expired." in refused.text) == (402, True)
    assert (back.status_code, back.headers["location"]) == (303, RETURN_URL)
    events = await receiver.until(saved.customer_reference, 3, CardSaved)
    assert {event.customer_reference for event in events if isinstance(event, CardSaved)} == {
        saved.customer_reference
    }
    newest = await provider.use_newest_card(saved.customer_reference)
    assert newest is not None
    assert newest.brand == "mastercard"
    assert await provider.use_newest_card(saved.customer_reference) == newest
    again = await client.post(page.url, data={"card": "pm_card_visa"})
    assert (again.status_code, await provider.use_newest_card(saved.customer_reference)) == (409, newest)


async def test_a_first_card_saved_on_the_page_is_charged_even_if_no_webhook_arrives(
    provider: StripeProvider, client: httpx.AsyncClient, sandbox: Sandbox
):
    page = await provider.setup_page(new_payer(), RETURN_URL)
    await client.post(page.url, data={"card": "pm_card_visa"})

    assert isinstance(await provider.charge(charge_of(page.customer_reference)), Charged)


async def test_a_customer_without_a_card_has_no_newest_one(provider: StripeProvider):
    page = await provider.setup_page(new_payer(), RETURN_URL)

    assert await provider.use_newest_card(page.customer_reference) is None
