"""Taking money from a card: once, in full, or with a reason why not (R11, R21, R22, R25)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import httpx
import pytest

from domain.card import SavedCard
from payments.charge import ActionRequired, Charge, Charged, Declined
from payments.payment_provider import AmountTooSmall, KeyReused, PaymentMisused, PaymentUnavailable
from payments.stripe_provider import StripeProvider
from tests.payments.running import RETURN_URL, Sandbox, charge_of, new_payer


async def test_a_charge_takes_the_money_and_is_found_again_by_its_key(
    provider: StripeProvider, customer: str, before: datetime
):
    charge = charge_of(customer, 6049, "GBP", metadata={"invoice": "INV-0001"})

    charged = await provider.charge(charge)

    assert isinstance(charged, Charged)
    assert (charged.amount_minor, charged.currency) == (6049, "GBP")
    assert await provider.find(charge.key, customer, before) == charged
    assert await provider.find(charge.key + "x", customer, before) is None


@pytest.mark.parametrize(
    ("amount_minor", "currency"), [(500, "JPY"), (6049, "GBP"), (999, "EUR"), (123456, "USD")]
)
async def test_amounts_arrive_unchanged_whatever_the_currency(
    provider: StripeProvider, customer: str, amount_minor: int, currency: str
):
    """R11: minor units as the provider counts them; the yen has none, so ¥500 is 500."""
    charged = await provider.charge(charge_of(customer, amount_minor, currency))

    assert isinstance(charged, Charged)
    assert (charged.amount_minor, charged.currency) == (amount_minor, currency)


async def test_the_same_key_twice_charges_once_and_answers_the_same(
    provider: StripeProvider, customer: str, before: datetime
):
    charge = charge_of(customer)

    first = await provider.charge(charge)

    assert await provider.charge(charge) == first
    charges = [seen async for seen in provider.charges_since(before) if seen.customer_reference == customer]
    assert len(charges) == 1


async def test_the_same_charge_from_many_places_at_once_charges_once(
    provider: StripeProvider, customer: str, sandbox: Sandbox
):
    charge = charge_of(customer)

    async def attempt() -> Charged | None:
        try:
            charged = await provider.charge(charge)
        except PaymentUnavailable:  # another request with this key was under way
            return None
        assert isinstance(charged, Charged)
        return charged

    answers = set(await asyncio.gather(*(attempt() for _ in range(20)))) - {None}

    assert len(answers) == 1
    assert [found["status"] for found in await sandbox.charges(customer)] == ["succeeded"]


async def test_a_key_in_use_is_no_answer(provider: StripeProvider, customer: str, sandbox: Sandbox):
    charge = charge_of(customer, payment_method="pm_card_visa")
    await sandbox.fault("slow", customer, times=1, on=["charge"], seconds=0.4)
    first = asyncio.create_task(provider.charge(charge))
    while await sandbox.control("GET", "/sandbox/faults"):  # until it has arrived
        await asyncio.sleep(0.01)

    with pytest.raises(PaymentUnavailable):
        await provider.charge(charge)

    assert isinstance(await first, Charged)


async def test_the_same_key_with_another_amount_is_refused(
    provider: StripeProvider, customer: str, before: datetime
):
    charge = charge_of(customer)
    charged = await provider.charge(charge)

    with pytest.raises(KeyReused):
        await provider.charge(replace(charge, amount_minor=charge.amount_minor + 1))

    assert await provider.find(charge.key, customer, before) == charged


@pytest.mark.parametrize(
    ("token", "code", "kind"),
    [
        ("pm_card_chargeDeclined", "generic_decline", "soft"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", "soft"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "soft"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "hard"),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_card", "hard"),
        ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card", "hard"),
    ],
)
async def test_a_decline_is_an_answer_with_its_code_and_kind(
    provider: StripeProvider, customer: str, before: datetime, token: str, code: str, kind: str
):
    """R22: a soft one is tried again, a hard one waits for a new card."""
    charge = charge_of(customer, payment_method=token)

    declined = await provider.charge(charge)

    assert isinstance(declined, Declined)
    assert (declined.code, declined.kind) == (code, kind)
    assert await provider.find(charge.key, customer, before) == declined
    assert await provider.charge(charge) == declined  # the same key is never tried again


async def test_a_saved_card_may_begin_to_decline_and_pay_again(
    provider: StripeProvider, customer: str, sandbox: Sandbox
):
    for answers, outcome in [("insufficient_funds", Declined), ("approve", Charged)]:
        await sandbox.control("POST", "/sandbox/cards", json={"customer": customer, "answers": answers})
        assert isinstance(await provider.charge(charge_of(customer)), outcome)


async def test_a_customer_without_a_card_is_declined_and_waits_for_one(provider: StripeProvider):
    page = await provider.setup_page(new_payer(), RETURN_URL)

    declined = await provider.charge(charge_of(page.customer_reference))

    assert declined == Declined("no_card", "hard")


async def test_so_little_money_is_refused_as_too_little(provider: StripeProvider, customer: str):
    """A remainder of a few pence cannot be taken from a card: somebody must decide."""
    with pytest.raises(AmountTooSmall):
        await provider.charge(charge_of(customer, 1))


async def test_an_unknown_customer_or_card_is_a_misuse(provider: StripeProvider, customer: str):
    for charge in (charge_of("cus_nobody"), charge_of(customer, payment_method="pm_nothing")):
        with pytest.raises(PaymentMisused):
            await provider.charge(charge)


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [("approve", Charged, None), ("refuse", Declined, "payment_intent_authentication_failure")],
)
async def test_a_charge_that_the_bank_wants_approved_waits_for_the_customer(
    provider: StripeProvider,
    client: httpx.AsyncClient,
    sandbox: Sandbox,
    before: datetime,
    answer: str,
    outcome: type,
    code: str | None,
):
    customer, charge = await _with_a_bank_that_asks(provider)

    action = await provider.charge(charge)

    assert isinstance(action, ActionRequired)
    assert await provider.find(charge.key, customer, before) == action
    assert await provider.charge(charge) == action
    assert "£60.49" in (await client.get(action.url)).text

    back = await client.post(action.url, data={"answer": answer})

    assert (back.status_code, back.headers["location"].split("&")[0]) == (303, RETURN_URL)
    found = await provider.find(charge.key, customer, before)
    assert isinstance(found, outcome)
    assert getattr(found, "code", None) == code
    assert await provider.charge(charge) == found
    assert (await client.get(action.url)).status_code == 409


async def test_the_bank_s_page_is_given_by_whatever_provider(provider: StripeProvider):
    _customer, charge = await _with_a_bank_that_asks(provider)

    action = await provider.charge(charge)

    assert isinstance(action, ActionRequired)
    assert action.url.startswith("http")


async def test_a_charge_that_waits_can_be_withdrawn_and_nothing_is_taken(
    provider: StripeProvider, before: datetime
):
    """Else the customer might approve it after the amount was collected in another way."""
    customer, charge = await _with_a_bank_that_asks(provider)
    action = await provider.charge(charge)
    assert isinstance(action, ActionRequired)

    withdrawn = await provider.withdraw(action.reference)

    assert withdrawn == Declined("canceled", "soft", action.reference)
    assert await provider.withdraw(action.reference) == withdrawn
    assert await provider.find(charge.key, customer, before) == withdrawn


async def test_a_charge_that_is_paid_cannot_be_withdrawn_and_says_so(provider: StripeProvider, customer: str):
    charged = await provider.charge(charge_of(customer))
    assert isinstance(charged, Charged)

    assert await provider.withdraw(charged.reference) == charged


async def test_reconciliation_sees_every_charge_page_by_page(
    provider: StripeProvider, customer: str, sandbox: Sandbox, before: datetime
):
    charges = [charge_of(customer, payment_method="pm_card_visa") for _ in range(120)]
    await asyncio.gather(*map(provider.charge, charges))

    seen = [
        charge async for charge in provider.charges_since(before) if charge.customer_reference == customer
    ]

    assert {charge.key for charge in seen} == {charge.key for charge in charges}
    assert {(charge.amount_minor, charge.status, charge.refunded_minor) for charge in seen} == {
        (6049, "succeeded", 0)
    }
    assert await provider.find(charges[0].key, customer, before) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 0},
        {"amount_minor": 1.5},
        {"currency": "gbp"},
        {"key": ""},
        {"key": "k" * 201},
        {"key": "ü"},
    ],
)
def test_a_charge_that_no_provider_could_take_cannot_be_written(wrong: dict[str, object]):
    with pytest.raises(ValueError):
        charge_of("cus_1", **wrong)  # type: ignore[arg-type]  # that is the point


async def _with_a_bank_that_asks(provider: StripeProvider) -> tuple[str, Charge]:
    saved = await provider.save_card(new_payer(), "pm_card_authenticationRequired")
    assert isinstance(saved, SavedCard)
    return saved.customer_reference, charge_of(saved.customer_reference)
