"""Customers, cards, and the saving of cards, as Stripe's JSON (see `payments_shapes.py`)."""

from __future__ import annotations

import secrets

from sandbox.payments_cards import TestCard
from sandbox.payments_shapes import Shape, begun

ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
NOBODY = {"address": ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
EXPIRES = (2099, 12)  # year, month; the time of a test or a demonstration may be far ahead
PAGE_SECONDS = 24 * 60 * 60


def customer() -> Shape:
    """A customer, with nothing known of them."""
    return begun("customer", "cus") | {
        "address": None,
        "balance": 0,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": secrets.token_hex(4).upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def payment_method(card: TestCard, owner: str | None) -> Shape:
    """A card, saved for its owner or for nobody."""
    year, month = EXPIRES
    return begun("payment_method", "pm") | {
        "allow_redisplay": "unspecified",
        "billing_details": NOBODY,
        "card": {
            "brand": card.brand,
            "checks": CHECKS,
            "country": "US",
            "display_brand": card.brand,
            "exp_month": month,
            "exp_year": year,
            "fingerprint": f"sandbox{card.last4}",
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "customer": owner,
        "type": "card",
    }


def setup_intent(owner: str) -> Shape:
    """The saving of a card, before there is one."""
    return begun("setup_intent", "seti") | {
        "application": None,
        "cancellation_reason": None,
        "client_secret": None,
        "customer": owner,
        "description": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "mandate": None,
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }


def checkout_session(setup: Shape, public_url: str) -> Shape:
    """A hosted page on which a card is saved."""
    made = begun("checkout.session", "cs_test")
    return made | {
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "cancel_url": None,
        "client_reference_id": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
        "customer": setup["customer"],
        "expires_at": made["created"] + PAGE_SECONDS,
        "mode": "setup",
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required",
        "setup_intent": setup["id"],
        "shipping_options": [],
        "status": "open",
        "success_url": None,
        "ui_mode": "hosted_page",
        "url": f"{public_url}/c/pay/{made['id']}",
    }
