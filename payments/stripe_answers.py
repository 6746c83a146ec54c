"""Stripe's objects, read as our values. Pure; an object that lacks what Stripe promises raises AttributeError."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

import stripe

from domain.card import SavedCard
from payments import declines
from payments.charge import ActionRequired, Charged, Declined, Outcome, Refunded, SeenCharge
from payments.payment_provider import PaymentMisused, PaymentUnavailable

Thing = TypeVar("Thing", bound=stripe.StripeObject)
KEY: Final = "evergreen_key"
"""Our key among the metadata at Stripe, by which a charge or refund is found again (R25)."""

AUTHENTICATION: Final = "authentication_required"
STATUS: Final[dict[str, Literal["succeeded", "declined", "action_required", "pending"]]] = {
    "succeeded": "succeeded",
    "requires_action": "action_required",
    "requires_payment_method": "declined",
    "canceled": "declined",
}
REFUND_STATUS: Final[dict[str, Literal["succeeded", "pending", "failed"]]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}


def outcome(intent: stripe.PaymentIntent) -> Outcome:
    """How a charge stands. Raises `PaymentUnavailable` while that is open, `PaymentMisused` for what we never ask."""
    match intent.status:
        case "succeeded":
            amount_minor, currency = intent.amount_received, intent.currency.upper()
            return Charged(intent.id, amount_minor, currency, instant(intent.created))
        case "requires_payment_method":
            return declined(intent)
        case "canceled":
            return Declined(declines.CANCELED, declines.kind(declines.CANCELED), intent.id)
        case "requires_action" if intent.next_action and intent.next_action.redirect_to_url:
            return ActionRequired(str(intent.next_action.redirect_to_url.url), intent.id)
        case "processing":
            raise PaymentUnavailable(f"the payment provider is still at {intent.id}")
        case status:
            raise PaymentMisused(f"{intent.id} is {status}, which no charge of ours should be")


def declined(intent: stripe.PaymentIntent) -> Declined:
    """Why a charge was declined; one that no bank has seen yet counts as a soft decline."""
    error = intent.last_payment_error
    if error is None:
        return Declined("not_confirmed", "soft", intent.id)
    code = _code(error)
    return Declined(code, declines.kind(code, getattr(error, "advice_code", None)), intent.id)


def refused(error: stripe.CardError) -> Declined:
    """Why a card could not even be saved."""
    answer = error.error
    code = _code(answer) if answer else str(error.code)
    return Declined(code, declines.kind(code, getattr(answer, "advice_code", None)))


def waits_for_its_customer(intent: stripe.PaymentIntent) -> bool:
    """Whether the bank has declined only because the customer was not asked."""
    error = intent.last_payment_error
    return intent.status == "requires_payment_method" and error is not None and _code(error) == AUTHENTICATION


def refunded(refund: stripe.Refund) -> Refunded:
    """A refund as it stands."""
    status = REFUND_STATUS.get(str(refund.status), "pending")
    return Refunded(refund.id, refund.amount, refund.currency.upper(), status, instant(refund.created))


def saved_card(method: stripe.PaymentMethod) -> SavedCard:
    """A card that is attached to a customer."""
    card = method.card
    if card is None:
        raise AttributeError("not a card")
    return SavedCard(
        reference(method.customer) or "", method.id, card.brand, card.last4, (card.exp_year, card.exp_month)
    )


def seen_charge(intent: stripe.PaymentIntent) -> SeenCharge:
    """A charge for reconciliation; its `latest_charge` must have been expanded."""
    charge = intent.latest_charge
    return SeenCharge(
        reference=intent.id,
        key=key_of(intent),
        customer_reference=reference(intent.customer),
        amount_minor=intent.amount,
        currency=intent.currency.upper(),
        status=STATUS.get(intent.status, "pending"),
        refunded_minor=charge.amount_refunded if isinstance(charge, stripe.Charge) else 0,
        created_at=instant(intent.created),
    )


def every(page: stripe.ListObject[Thing]) -> AsyncIterator[Thing]:
    """Everything that is listed, page by page; whatever else may have been answered is no empty list."""
    if not isinstance(page, stripe.ListObject):
        raise TypeError("not a list")
    return page.auto_paging_iter()


def about(it: Thing, what_was_asked: bool) -> Thing:
    """The answer, which must be about what was asked; one about something else proves nothing. Raises ValueError."""
    if not what_was_asked:
        raise ValueError(f"an answer about something else: {reference(it)}")
    return it


def key_of(it: stripe.PaymentIntent | stripe.Refund) -> str | None:
    """Our key, under which it was asked for; None: not by us."""
    key = it.metadata.to_dict().get(KEY) if it.metadata else None
    return str(key) if key else None


def reference(it: Any) -> str | None:
    """The id of something that Stripe gives by its id or, if expanded, as a whole."""
    return it if it is None or isinstance(it, str) else str(it.id)


def instant(created: int) -> datetime:
    """Stripe's seconds since 1970 as an instant."""
    return datetime.fromtimestamp(created, UTC)


def _code(error: "stripe.ErrorObject | stripe.PaymentIntent.LastPaymentError") -> str:
    """The bank's reason where it gave one, else Stripe's word for the failure."""
    return getattr(error, "decline_code", None) or getattr(error, "code", None) or "card_declined"
