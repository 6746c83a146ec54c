"""Stripe's objects as JSON, API version 2026-10-28.endive: what all have in common, and events.

Source: https://docs.stripe.com/api. Fields that we do not use are there, and empty. Amounts are minor units,
currencies lower case, instants seconds since 1970.
"""

from __future__ import annotations

import secrets
import string
import time
from typing import Any, TypeAlias

Shape: TypeAlias = dict[str, Any]
API_VERSION = "2026-10-28.endive"
ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """An id that nothing else has."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(24))}"


def now() -> int:
    """The instant as Stripe counts."""
    return int(time.time())


def begun(kind: str, prefix: str) -> Shape:
    """A new object of this kind, with nothing in it."""
    return {"id": new_id(prefix), "object": kind, "created": now(), "livemode": False, "metadata": {}}


def event(kind: str, about: Shape) -> Shape:
    """Something that happened, with the object as it was then."""
    made = begun("event", "evt")
    del made["metadata"]
    return made | {
        "api_version": API_VERSION,
        "data": {"object": about},
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
