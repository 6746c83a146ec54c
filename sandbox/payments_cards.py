"""Stripe's test cards: their tokens, and what the bank behind each answers.

Source: https://docs.stripe.com/testing. Only tokens and last digits; a card number is never seen, nor needed.
"""

from __future__ import annotations

from dataclasses import dataclass

APPROVE = "approve"
AUTHENTICATE = "authenticate"  # only with the customer there
WITHOUT_DECLINE_CODE = {"expired_card", "incorrect_cvc", "processing_error"}
"""Declines that Stripe tells by the error's code alone; the others are `card_declined` with a decline code."""

MESSAGES = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


@dataclass(frozen=True)
class TestCard:
    """A card of Stripe's for testing. One that `refuses` is declined already when it is to be saved."""

    name: str
    brand: str
    last4: str
    answers: str  # APPROVE, AUTHENTICATE, or the code of a decline
    refuses: bool = False
    refunds: tuple[str, ...] = ("succeeded",)  # how a refund to it stands, one after the other


_VISA = TestCard("Visa, always pays", "visa", "4242", APPROVE)
CARDS = {
    "pm_card_visa": _VISA,
    "pm_card_visa_debit": TestCard("Visa debit, always pays", "visa", "5556", APPROVE),
    "pm_card_mastercard": TestCard("Mastercard, always pays", "mastercard", "4444", APPROVE),
    "pm_card_amex": TestCard("American Express, always pays", "amex", "0005", APPROVE),
    "pm_card_authenticationRequired": TestCard(
        "Visa, the bank asks every time", "visa", "3184", AUTHENTICATE
    ),
    "pm_card_refundFail": TestCard(
        "Visa, refunds fail later", "visa", "5126", APPROVE, refunds=("succeeded", "failed")
    ),
    "pm_card_pendingRefund": TestCard(
        "Visa, refunds are slow", "visa", "7726", APPROVE, refunds=("pending", "succeeded")
    ),
    "pm_card_chargeCustomerFail": TestCard("Visa, saved but never pays", "visa", "0341", "generic_decline"),
}
"""Test cards by Stripe's token, those that can be saved first."""

_DECLINING = {
    "chargeDeclined": TestCard("Visa, declined", "visa", "0002", "generic_decline", True),
    "chargeDeclinedInsufficientFunds": TestCard(
        "Visa, insufficient funds", "visa", "9995", "insufficient_funds", True
    ),
    "chargeDeclinedLostCard": TestCard("Visa, lost", "visa", "9987", "lost_card", True),
    "chargeDeclinedStolenCard": TestCard("Visa, stolen", "visa", "9979", "stolen_card", True),
    "chargeDeclinedExpiredCard": TestCard("Visa, expired", "visa", "0069", "expired_card", True),
    "chargeDeclinedIncorrectCvc": TestCard("Visa, wrong code", "visa", "0127", "incorrect_cvc", True),
    "chargeDeclinedProcessingError": TestCard(
        "Visa, error at the bank", "visa", "0119", "processing_error", True
    ),
    "chargeDeclinedFraudulent": TestCard("Visa, fraudulent", "visa", "0019", "fraudulent", True),
    "chargeDeclinedVelocityLimitExceeded": TestCard(
        "Visa, charged too often", "visa", "6975", "card_velocity_exceeded", True
    ),
}
for _name, _card in _DECLINING.items():
    CARDS[f"pm_card_{_name}"] = CARDS[f"pm_card_visa_{_name}"] = _card  # Stripe names most of them both ways


_REFUNDS = {card.last4: card.refunds for card in CARDS.values()}


def refund_standings(last4: str) -> tuple[str, ...]:
    """How a refund to the card stands: as it is answered, and if another follows, as it turns out soon after."""
    return _REFUNDS[last4]


def decline(code: str) -> dict[str, str]:
    """The error's fields for a decline with this code."""
    message = MESSAGES.get(code, "Your card was declined.")
    if code in WITHOUT_DECLINE_CODE:
        return {"code": code, "message": message}
    told = code if code == "authentication_required" else "card_declined"
    return {"code": told, "decline_code": code, "message": message}
