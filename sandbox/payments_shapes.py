"""Stripe's objects as JSON, API version 2026-10-28.endive: fields that we do not use are there, and empty.

Source: https://docs.stripe.com/api. Amounts are minor units, currencies lower case, instants seconds since 1970.
"""

from __future__ import annotations

import secrets
import string
import time
from typing import Any, TypeAlias

from sandbox.payments_cards import TestCard

Shape: TypeAlias = dict[str, Any]
API_VERSION = "2026-10-28.endive"
ALPHABET = string.ascii_letters + string.digits
ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
NOBODY = {"address": ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
CHECKS = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
EXPIRES = (2099, 12)  # year, month; the time of a test or a demonstration may be far ahead
PAGE_SECONDS = 24 * 60 * 60


def new_id(prefix: str) -> str:
    """An id that nothing else has."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(24))}"


def now() -> int:
    """The instant as Stripe counts."""
    return int(time.time())


def _begun(kind: str, prefix: str) -> Shape:
    return {"id": new_id(prefix), "object": kind, "created": now(), "livemode": False, "metadata": {}}


def customer() -> Shape:
    """A customer, with nothing known of them."""
    return _begun("customer", "cus") | {
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
    return _begun("payment_method", "pm") | {
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


def payment_intent(amount: int, currency: str, owner: str | None) -> Shape:
    """A charge before any bank was asked."""
    begun = _begun("payment_intent", "pi")
    return begun | {
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{begun['id']}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "currency": currency,
        "customer": owner,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"network": None, "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(intent: Shape, method: Shape, failure: dict[str, str] | None) -> Shape:
    """What the bank was asked for: paid, or failed."""
    paid = failure is None
    return _begun("charge", "ch") | {
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "balance_transaction": new_id("txn") if paid else None,
        "billing_details": method["billing_details"],
        "captured": paid,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None if failure is None else failure.get("decline_code", failure["code"]),
        "failure_message": None if failure is None else failure["message"],
        "fraud_details": {},
        "metadata": intent["metadata"],
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": method["card"], "type": "card"},
        "receipt_email": None,
        "receipt_url": None,
        "refunded": False,
        "status": "succeeded" if paid else "failed",
    }


def refund(charge: Shape, amount: int) -> Shape:
    """Money on its way back."""
    begun = _begun("refund", "re")
    del begun["livemode"]
    return begun | {
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "currency": charge["currency"],
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def setup_intent(owner: str) -> Shape:
    """The saving of a card, before there is one."""
    return _begun("setup_intent", "seti") | {
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
    begun = _begun("checkout.session", "cs_test")
    return begun | {
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "cancel_url": None,
        "client_reference_id": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
        "customer": setup["customer"],
        "expires_at": begun["created"] + PAGE_SECONDS,
        "mode": "setup",
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required",
        "setup_intent": setup["id"],
        "shipping_options": [],
        "status": "open",
        "success_url": None,
        "ui_mode": "hosted_page",
        "url": f"{public_url}/c/pay/{begun['id']}",
    }


def event(kind: str, about: Shape) -> Shape:
    """Something that happened, with the object as it was then."""
    begun = _begun("event", "evt")
    del begun["metadata"]
    return begun | {
        "api_version": API_VERSION,
        "data": {"object": about},
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
