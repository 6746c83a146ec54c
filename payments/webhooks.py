"""What the provider tells by itself, read as small events of ours. Pure: no network, no database.

The same event may come twice, an older one after a newer one, or none at all: each carries its id and instant, and
what to make of them is the caller's matter. An event says that something happened; how it stands is best asked then
(`find`, `use_newest_card`). Forged events raise `BadSignature`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

import stripe

from payments.charge import Outcome, Refunded
from payments.payment_provider import PaymentError
from payments.stripe_answers import instant, key_of, outcome, reference, refunded, waits_for_its_customer

TOLERANCE_SECONDS: Final = 300


class WebhookError(Exception):
    """Something that came in as an event of the provider's is none for us."""


class BadSignature(WebhookError):
    """It was not signed with our secret, or longer ago than we accept."""


class NotUnderstood(WebhookError):
    """It is the provider's, of a kind we know, but lacks what we rely on: another API version?"""


@dataclass(frozen=True)
class Origin:
    """Which event it was, and when it happened."""

    event_id: str  # the provider's; the same in every delivery
    created_at: datetime  # aware, UTC, to the second


@dataclass(frozen=True)
class ChargeSettled(Origin):
    """A charge came to an outcome, or waits for its customer."""

    key: str | None  # ours; None: not made by us
    customer_reference: str | None
    outcome: Outcome


@dataclass(frozen=True)
class ChargeRefunded(Origin):
    """Money of a charge went back, whoever wanted it."""

    reference: str  # of the charge
    refunded_minor: int  # all in all
    currency: str


@dataclass(frozen=True)
class RefundSettled(Origin):
    """A refund was booked, or came to another end than it seemed."""

    key: str | None  # ours; None: not made by us
    charge_reference: str | None
    refund: Refunded


@dataclass(frozen=True)
class CardSaved(Origin):
    """A customer has another card."""

    customer_reference: str
    payment_method: str | None  # None: the event does not say which


Event: TypeAlias = ChargeSettled | ChargeRefunded | RefundSettled | CardSaved


def read(
    payload: bytes, signature: str | None, secret: str, tolerance_seconds: int = TOLERANCE_SECONDS
) -> Event | None:
    """The event in a request's body, None if it is of a kind that we have no use for.

    `signature` is the header `Stripe-Signature`. Raises `BadSignature`, `NotUnderstood`.
    """
    try:
        event = stripe.Webhook.construct_event(payload, signature, secret, tolerance_seconds)
    except (stripe.SignatureVerificationError, ValueError):
        raise BadSignature("not an event of the payment provider's, or too old") from None
    except (AttributeError, KeyError, TypeError) as error:
        raise NotUnderstood("it is signed, and no event") from error
    try:
        reader = READERS.get(event.type)
        return reader(Origin(event.id, instant(event.created)), event.data.object) if reader else None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise NotUnderstood(f"{getattr(event, 'type', 'an event')} is not as agreed") from error


def _charge_settled(origin: Origin, intent: Any) -> Event | None:
    if waits_for_its_customer(intent):  # no outcome: whoever charges asks for the customer's page next
        return None
    try:
        settled = outcome(intent)
    except (
        PaymentError
    ):  # still open, or of a kind that we never ask for: another's charge on the same account
        return None
    customer = reference(intent.customer)
    return ChargeSettled(origin.event_id, origin.created_at, key_of(intent), customer, settled)


def _charge_refunded(origin: Origin, charge: Any) -> Event:
    about = reference(charge.payment_intent) or charge.id
    currency = charge.currency.upper()
    return ChargeRefunded(origin.event_id, origin.created_at, about, charge.amount_refunded, currency)


def _refund_settled(origin: Origin, refund: Any) -> Event:
    charge = reference(refund.payment_intent)
    return RefundSettled(origin.event_id, origin.created_at, key_of(refund), charge, refunded(refund))


def _card_saved(origin: Origin, setup: Any) -> Event | None:
    customer = reference(setup.customer)
    card = reference(setup.payment_method)
    return CardSaved(origin.event_id, origin.created_at, customer, card) if customer else None


def _card_attached(origin: Origin, method: Any) -> Event | None:
    customer = reference(method.customer)
    of_use = customer and method.type == "card"
    return CardSaved(origin.event_id, origin.created_at, customer, method.id) if customer and of_use else None


def _page_completed(origin: Origin, session: Any) -> Event | None:
    customer = reference(session.customer)
    of_use = customer and session.mode == "setup"
    return CardSaved(origin.event_id, origin.created_at, customer, None) if customer and of_use else None


READERS: Final[dict[str, Callable[[Origin, Any], Event | None]]] = {
    "payment_intent.succeeded": _charge_settled,
    "payment_intent.payment_failed": _charge_settled,
    "payment_intent.requires_action": _charge_settled,
    "payment_intent.canceled": _charge_settled,
    "charge.refunded": _charge_refunded,
    "refund.created": _refund_settled,
    "refund.updated": _refund_settled,
    "refund.failed": _refund_settled,
    "setup_intent.succeeded": _card_saved,
    "payment_method.attached": _card_attached,
    "checkout.session.completed": _page_completed,
}
"""By the provider's event type: those that the provider must be told to send to us."""
