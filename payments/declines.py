"""Which declines wait for a new card (R22): the one table to correct when a bank's word turns out otherwise.

Source: Stripe's documentation, https://docs.stripe.com/declines/codes (what each code means and what the customer
can do), https://docs.stripe.com/billing/revenue-recovery/smart-retries (codes Stripe itself does not try again) and
https://docs.stripe.com/declines/card (advice codes). Stripe does not call codes hard or soft: the line is ours.
"""

from typing import Final

from payments.charge import DeclineKind

NO_CARD: Final = "no_card"  # ours: the customer has no card to charge
CANCELED: Final = "canceled"  # ours: the attempt was withdrawn, or given up at the provider

HARD: Final = frozenset(
    {
        NO_CARD,
        # Not tried again by Stripe either.
        "highest_risk_level",
        "incorrect_number",
        "lost_card",
        "pickup_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "transaction_not_allowed",
        # The card, or what is known of it, is of no more use.
        "card_not_supported",
        "currency_not_supported",
        "expired_card",
        "fraudulent",
        "incorrect_address",
        "incorrect_cvc",
        "incorrect_zip",
        "invalid_account",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "merchant_blacklist",
        "new_account_information_available",
        "not_permitted",
        "restricted_card",
        "security_violation",
        "service_not_allowed",
        "stop_payment_order",
        "testmode_decline",
    }
)
"""Every other code is soft: insufficient_funds, processing_error, try_again_later, do_not_honor, generic_decline, …

One not known here is soft too: Stripe adds codes, and a soft decline is tried five times at most (R22).
"""

HARD_ADVICE: Final = frozenset({"do_not_try_again", "confirm_card_data"})
"""The bank's own advice, where it gives one: it makes any decline hard."""


def kind(code: str, advice: str | None = None) -> DeclineKind:
    """Whether a decline with this code waits for a new card (`hard`) or is worth another try (`soft`)."""
    return "hard" if code in HARD or advice in HARD_ADVICE else "soft"
