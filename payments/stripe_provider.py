"""The payment provider on Stripe, through Stripe's own SDK. Each request is sent once, under a key of ours (R25)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import stripe

from domain.card import Payer, SavedCard, SetupPage
from payments import stripe_cards, stripe_charges
from payments.charge import Charge, Declined, Outcome, Refund, Refunded, SeenCharge
from payments.payment_provider import PaymentProvider
from payments.stripe_answers import KEY, about, every, key_of, refunded, seen_charge
from payments.stripe_errors import asking


@dataclass(frozen=True)
class StripeProvider(PaymentProvider):
    """Cards charged by Stripe. `return_url` is where a customer comes back to after approving a charge.

    What may be raised is said in `PaymentProvider`.
    """

    client: stripe.StripeClient
    return_url: str
    name: str = "stripe"

    async def charge(self, charge: Charge) -> Outcome:
        """Take the money, once per key (R25)."""
        with asking():
            return await stripe_charges.charge(self.client, charge, self.return_url)

    async def find(self, key: str, customer_reference: str, since: datetime) -> Outcome | None:
        """How the charge with our key stands now, None if there is none (R25)."""
        with asking():
            return await stripe_charges.find(self.client, key, customer_reference, since, self.return_url)

    async def withdraw(self, charge_reference: str) -> Outcome:
        """Close a charge that waits for its customer; how it stands then."""
        with asking():
            return await stripe_charges.withdraw(self.client, charge_reference)

    async def refund(self, refund: Refund) -> Refunded:
        """Give money back to the card, once per key (R20, R25)."""
        params: stripe.params.RefundCreateParams = {
            "payment_intent": refund.charge_reference,
            "amount": refund.amount_minor,
            "metadata": {KEY: refund.key},
        }
        with asking():
            made = await self.client.v1.refunds.create_async(params, {"idempotency_key": refund.key})
            return refunded(about(made, (key_of(made), made.amount) == (refund.key, refund.amount_minor)))

    async def find_refund(self, key: str, charge_reference: str) -> Refunded | None:
        """The refund with our key, None if there is none (R25)."""
        with asking():
            page = await self.client.v1.refunds.list_async(
                {"payment_intent": charge_reference, "limit": stripe_charges.PAGE}
            )
            found = [refund async for refund in every(page) if key_of(refund) == key]
            return refunded(found[0]) if found else None

    async def save_card(self, payer: Payer, token: str) -> SavedCard | Declined:
        """Keep the card behind a token for the payer and make it the default (R25)."""
        with asking():
            return await stripe_cards.save(self.client, payer, token)

    async def use_newest_card(self, customer_reference: str) -> SavedCard | None:
        """Make the card that was saved last the default; None if there is none."""
        with asking():
            return await stripe_cards.use_newest(self.client, customer_reference)

    async def setup_page(self, payer: Payer, return_url: str) -> SetupPage:
        """Stripe's own page for a new card."""
        with asking():
            return await stripe_cards.setup_page(self.client, payer, return_url)

    async def charges_since(
        self, instant: datetime, until: datetime | None = None
    ) -> AsyncIterator[SeenCharge]:
        """Every charge that was begun between the instants, newest first."""
        with asking():
            async for intent in stripe_charges.begun_between(self.client, instant, until):
                yield seen_charge(intent)

    async def seen(self, charge_reference: str) -> SeenCharge | None:
        """A charge as it stands, None if there is none by this reference."""
        with asking():
            intent = await stripe_charges.by_reference(self.client, charge_reference)
            return None if intent is None else seen_charge(intent)
