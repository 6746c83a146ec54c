"""What other programs are told of by webhook, and what it says: never a license key, a name or an address (R28)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

EventKind = Literal[
    "subscription.renewed",
    "subscription.cancelled",
    "subscription.lapsed",
    "license.updated",
    "payment.failed",
    "promise.broken",
]
KINDS: Final[tuple[EventKind, ...]] = get_args(EventKind)

SAID: Final = (
    "title",
    "currency",
    "expires_on",
    "renews_on",
    "cancel_by",
    "total_minor",
    "credits_minor",
    "remainder_minor",
    "reason",
    "late_until",
    "order_kind",
    "order_id",
    "update_id",
    "promise_at",
)
"""The facts of a notice that a webhook says too."""

LONGEST_ADDRESS: Final = 500


class NotAnEndpoint(ValueError):
    """The address cannot be told anything; the text says why."""


def kinds_of(notice: str, audience: str, subject: str) -> tuple[EventKind, ...]:
    """The events that a notice tells of; most tell of none. A renewal's update has no subject, an order's its id."""
    match notice, audience:
        case "license_updated", "customer":
            return ("license.updated",) if subject else ("subscription.renewed", "license.updated")
        case "cancel_accepted" | "cancel_deferred", "customer":
            return ("subscription.cancelled",)
        case "lapsed", "customer":
            return ("subscription.lapsed",)
        case "payment_failed", "customer":
            return ("payment.failed",)
        case "promise_broken", "staff":
            return ("promise.broken",)
    return ()


def data_of(subscription_id: str, customer_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says, as JSON values."""
    said = {name: facts[name] for name in SAID if facts.get(name) is not None}
    decision = facts.get("decision")
    if isinstance(decision, Mapping):
        said |= {
            name: decision[name] for name in ("outcome", "effective_on", "received_at") if name in decision
        }
    return {"subscription": subscription_id, "customer": customer_id, **said}


def check_endpoint(url: str) -> str:
    """The address, if it may be told: https, or this very machine. Raises NotAnEndpoint."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _port = parts.port
    except ValueError as wrong:
        raise NotAnEndpoint(f"it is no address: {wrong}") from wrong
    if len(url) > LONGEST_ADDRESS or not url.isprintable() or " " in url:
        raise NotAnEndpoint(f"an address has up to {LONGEST_ADDRESS} characters and no blanks")
    if not host or parts.username is not None or parts.fragment:
        raise NotAnEndpoint("write it like https://billing.example.com/evergreen, without a name or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise NotAnEndpoint("what is told is not for everyone on the way: https, unless it is this machine")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
