"""What we ask of the payment provider, in our words: its errors and the protocol itself.

Its values are in `payments/charge.py` and `domain/card.py`. Not here: how it is reached
(`payments/stripe_provider.py`), what it tells by itself (`payments/webhooks.py`), when it is asked (`activities/`).
Nothing here tries again: Temporal does.

A decline is an answer, not an error. The errors, as one tree:

    PaymentError
    ├── PaymentUnavailable     no answer to rely on, the outcome is unknown: look up, then try again (R25)
    ├── PaymentUnauthorized    our key is not accepted, nothing was done: correct the setting, try again
    └── PaymentMisused         final: the provider refuses what we ask for, nothing was done; a person must look
        ├── KeyReused          the key belongs to something else
        └── AmountTooSmall     the provider does not move so little

No card number is ever seen here, only the provider's references; no text holds a license key (R28).
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from domain.card import Payer, SavedCard, SetupPage
from payments.charge import Charge, Declined, Outcome, Refund, Refunded, SeenCharge


class PaymentError(Exception):
    """Whatever may go wrong between us and the payment provider."""


class PaymentUnavailable(PaymentError):
    """No answer to rely on (time-out, connection, 409, 429, 5xx): find the charge before trying it again (R25).

    `retry_after_seconds` is the provider's own wish, where it gave one.
    """

    def __init__(self, text: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class PaymentUnauthorized(PaymentError):
    """The provider does not accept our key. Not the customer's fault, so never a decline."""


class PaymentMisused(PaymentError):
    """What we ask for cannot be done (unknown reference, refund above the charge …): a person must look."""


class KeyReused(PaymentMisused):
    """The idempotency key was used before, with other parameters (R25)."""


class AmountTooSmall(PaymentMisused):
    """The provider does not charge so little in this currency (Stripe: £0.30, $0.50, €0.50, ¥50)."""


class PaymentProvider(Protocol):
    """Where cards are charged. Any method may raise `PaymentUnavailable`, `PaymentUnauthorized`, `PaymentMisused`."""

    @property
    def name(self) -> str:
        """What our rows call the provider."""
        ...

    async def charge(self, charge: Charge) -> Outcome:
        """Take the money, once per key (R25). Raises `KeyReused`, `AmountTooSmall`.

        After `PaymentUnavailable` ask `find` first. If that says None, the very same charge may be sent again.
        """
        ...

    async def find(self, key: str, customer_reference: str, since: datetime) -> Outcome | None:
        """How the charge with our key stands now, None if the provider has none; for an unknown outcome (R25).

        `since` is when we first may have sent it. Longer than a day ago, None is the only safeguard against
        charging twice: the provider has forgotten the key by then.
        """
        ...

    async def withdraw(self, charge_reference: str) -> Outcome:
        """Close a charge that waits for its customer; how it stands then: declined, or charged after all."""
        ...

    async def refund(self, refund: Refund) -> Refunded:
        """Give money back to the card, once per key (R20, R25); never more than was charged.

        Raises `KeyReused`. After `PaymentUnavailable` ask `find_refund` first.
        """
        ...

    async def find_refund(self, key: str, charge_reference: str) -> Refunded | None:
        """The refund with our key, None if the provider has none; for an unknown outcome (R25)."""
        ...

    async def save_card(self, payer: Payer, token: str) -> SavedCard | Declined:
        """Keep the card behind a token of the provider's for the payer, and make it the default.

        The provider is told of the payer if it was not before, once per payer. Safe to ask again (R25).
        """
        ...

    async def use_newest_card(self, customer_reference: str) -> SavedCard | None:
        """Make the card that was saved last the default; None if there is none. Safe to ask again, in any order."""
        ...

    async def setup_page(self, payer: Payer, return_url: str) -> SetupPage:
        """A page where the payer enters a new card, and is sent to `return_url` from.

        The card is saved when the provider says so (`webhooks.CardSaved`), and becomes the default by
        `use_newest_card`.
        """
        ...

    def charges_since(self, instant: datetime, until: datetime | None = None) -> AsyncIterator[SeenCharge]:
        """Every charge that was begun from the first instant on, until the second, for reconciliation; newest first.

        To the second: some of just before and just after may be among them.
        """
        ...

    async def seen(self, charge_reference: str) -> SeenCharge | None:
        """A charge as it stands, None if the provider has none by this reference; for reconciliation."""
        ...
