"""Giving money back to the card: once, and never more than was taken (R20, R25)."""

from __future__ import annotations

from datetime import datetime

import pytest

from payments.charge import Charged, Refund
from payments.payment_provider import KeyReused, PaymentMisused, PaymentUnavailable
from payments.stripe_provider import StripeProvider
from tests.payments.running import Sandbox, charge_of, new_key


@pytest.fixture
async def charged(provider: StripeProvider, customer: str) -> Charged:
    """A charge of £60.49."""
    charged = await provider.charge(charge_of(customer, 6049))
    assert isinstance(charged, Charged)
    return charged


async def test_a_charge_is_given_back_in_part_and_then_whole(
    provider: StripeProvider, charged: Charged, customer: str, before: datetime
):
    part = await provider.refund(Refund(new_key(), charged.reference, 49))
    rest = await provider.refund(Refund(new_key(), charged.reference, 6000))

    assert (part.amount_minor, part.currency, part.status) == (49, "GBP", "succeeded")
    assert rest.reference != part.reference
    seen = [
        charge async for charge in provider.charges_since(before) if charge.customer_reference == customer
    ]
    assert [charge.refunded_minor for charge in seen] == [6049]


async def test_more_than_is_left_is_refused(provider: StripeProvider, charged: Charged):
    await provider.refund(Refund(new_key(), charged.reference, 6000))

    for amount_minor in (50, 6049):
        with pytest.raises(PaymentMisused, match="greater than"):
            await provider.refund(Refund(new_key(), charged.reference, amount_minor))

    await provider.refund(Refund(new_key(), charged.reference, 49))
    with pytest.raises(PaymentMisused, match="already been refunded"):
        await provider.refund(Refund(new_key(), charged.reference, 1))


async def test_the_same_key_twice_gives_back_once_and_is_found(provider: StripeProvider, charged: Charged):
    refund = Refund(new_key(), charged.reference, 49)

    first = await provider.refund(refund)

    assert await provider.refund(refund) == first
    assert await provider.find_refund(refund.key, charged.reference) == first
    assert await provider.find_refund(new_key(), charged.reference) is None
    await provider.refund(Refund(new_key(), charged.reference, 6000))  # so no more than 49 had gone


async def test_the_same_key_with_another_amount_is_refused(provider: StripeProvider, charged: Charged):
    key = new_key()
    await provider.refund(Refund(key, charged.reference, 49))

    with pytest.raises(KeyReused):
        await provider.refund(Refund(key, charged.reference, 50))


async def test_a_lost_reply_is_an_unknown_outcome_that_can_be_looked_up(
    provider: StripeProvider, charged: Charged, customer: str, sandbox: Sandbox
):
    refund = Refund(new_key(), charged.reference, 49)
    await sandbox.fault("lose_reply", customer, times=1)

    with pytest.raises(PaymentUnavailable):
        await provider.refund(refund)

    found = await provider.find_refund(refund.key, charged.reference)
    assert found is not None
    assert await provider.refund(refund) == found
    record = await sandbox.control("GET", "/sandbox/refunds", params={"customer": customer})
    assert [(booked["amount"], booked["repeats"]) for booked in record] == [(49, 1)]


async def test_what_was_never_charged_cannot_be_given_back(
    provider: StripeProvider, customer: str, before: datetime
):
    charge = charge_of(customer, payment_method="pm_card_chargeDeclined")
    declined = await provider.charge(charge)

    for reference in (declined.reference or "", "pi_nothing"):
        with pytest.raises(PaymentMisused):
            await provider.refund(Refund(new_key(), reference, 49))
