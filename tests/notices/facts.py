"""Facts as callers give them, by name: what a notice may say, each with a value of its true type."""

from typing import Any

from db.notices import Audience
from domain.messages import Decision

HELD: dict[str, Any] = {
    "title": "SmarterMail Enterprise 250",
    "last_four": "1A2B",
    "currency": "GBP",
    "expires_on": "2027-08-31",
}
RENEWAL: dict[str, Any] = {
    **HELD,
    "renews_on": "2027-08-17",
    "cancel_by": "2027-08-16",
    "total_minor": 180_00,
    "credits_minor": 120_50,
    "remainder_minor": 59_50,
}
DECISION = Decision.model_validate(
    {
        "kind": "cancel",
        "outcome": "deferred",
        "received_at": "2027-08-16T23:00:00Z",
        "cancel_by": "2027-08-16",
        "effective_on": "2028-08-31",
        "by": "customer",
        "sentence": "The last day to cancel the renewal due by 31 August 2027 was 16 August 2027, so this renewal goes "
        "ahead. The cancellation is kept: the subscription ends on 31 August 2028.",
    }
)
SAMPLES: dict[str, Any] = {
    **RENEWAL,
    "action_url": "https://bank.example/confirm?id=1&step=2",
    "addons": ["MAPI & EWS", "Message Sniffer"],
    "amount_minor": 60_49,
    "answer": "Enterprise 500 it is.",
    "card_minor": 59_50,
    "card_last_four": "4242",
    "credit_note": "CRN-2027-000003",
    "decision": DECISION.model_dump(mode="json"),
    "edition": "Enterprise",
    "healed": 1,
    "endpoint_id": "whe_1",
    "invoice": "INV-2027-000042",
    "lapses_at": "2027-08-18T16:45:00+00:00",
    "late_until": "2027-09-30",
    "lines": [{"description": "SmarterMail Enterprise 250, 12 months", "amount_minor": 150_00}],
    "new": 2,
    "found": [
        {"kind": "workflow_missing", "subject": "sub_7", "healed": True},
        {"kind": "license_differs", "subject": "sub_8", "healed": False},
    ],
    "next_try_on": "2027-08-19",
    "order_id": "ord_1",
    "order_kind": "renewal",
    "promise_at": "2027-08-18T16:30:00+00:00",
    "reason": "NoCard",
    "request_id": "req_1",
    "request_kind": "upgrade",
    "role": "support",
    "sign_in_url": "https://portal.example/sign-in/link/x7Yk",
    "size": "500",
    "to_expires_on": "2028-08-31",
    "update_id": "upd_1",
    "url": "https://billing.example/evergreen",
}

NEEDED: dict[tuple[Audience, str], tuple[str, ...]] = {
    ("customer", "reminder_60"): (
        "renews_on",
        "cancel_by",
        "total_minor",
        "credits_minor",
        "remainder_minor",
    ),
    ("customer", "renewal_fixed"): ("renews_on", "total_minor"),
    ("customer", "payment_failed"): ("total_minor", "credits_minor", "remainder_minor", "reason"),
    ("customer", "confirm_payment"): ("total_minor", "remainder_minor", "action_url"),
    ("customer", "receipt"): ("invoice", "total_minor"),
    ("customer", "order_to_pay"): ("invoice", "total_minor", "edition", "size"),
    ("customer", "license_updated"): (),
    ("customer", "cancel_accepted"): ("decision",),
    ("customer", "cancel_deferred"): ("decision",),
    ("customer", "resume_accepted"): ("decision",),
    ("customer", "lapsed"): (),
    ("customer", "expired"): (),
    ("customer", "ended_lapsed"): (),
    ("customer", "ended_refused"): (),
    ("customer", "update_refused"): ("reason",),
    ("customer", "refund"): ("amount_minor",),
    ("customer", "refund_failed"): ("amount_minor",),
    ("customer", "request_accepted"): ("request_id", "request_kind"),
    ("customer", "request_declined"): ("request_id", "request_kind"),
    ("customer", "sign_in"): ("sign_in_url", "lapses_at"),
    ("staff", "webhook_disabled"): ("endpoint_id", "reason", "url"),
    ("staff", "sign_in"): ("sign_in_url", "lapses_at", "role"),
    ("staff", "update_refused"): (),
    ("staff", "promise_broken"): (),
    ("staff", "promise_soon"): (),
    ("staff", "update_by_hand"): (),
    ("staff", "refund_failed"): ("amount_minor",),
    ("staff", "request_new"): ("request_id", "request_kind"),
    ("staff", "differences_found"): ("new", "healed", "found"),
}
"""What each letter cannot do without, besides HELD; all else in SAMPLES it can, and says when it is given."""

WITHOUT_LICENSE = {
    ("staff", "request_new"),
    ("staff", "differences_found"),
    ("customer", "request_accepted"),
    ("customer", "request_declined"),
    ("customer", "sign_in"),
    ("staff", "sign_in"),
}
"""Letters that are not about a license we hold."""

WITHOUT_CUSTOMER = {("staff", "sign_in"), ("staff", "differences_found"), ("staff", "webhook_disabled")}
"""Letters that are about no customer either."""


def needed(audience: Audience, kind: str) -> dict[str, Any]:
    """The fewest facts with which the letter can be written."""
    held = {} if (audience, kind) in WITHOUT_LICENSE else HELD
    return held | {fact: SAMPLES[fact] for fact in NEEDED[audience, kind]}
