"""Charges and refunds, as Stripe's JSON (see `payments_shapes.py`)."""

from __future__ import annotations

import secrets

from sandbox.payments_shapes import Shape, begun, new_id


def payment_intent(amount: int, currency: str, owner: str | None) -> Shape:
    """A charge before any bank was asked."""
    made = begun("payment_intent", "pi")
    return made | {
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
        "client_secret": f"{made['id']}_secret_{secrets.token_hex(12)}",
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
    return begun("charge", "ch") | {
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
    made = begun("refund", "re")
    del made["livemode"]
    return made | {
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
