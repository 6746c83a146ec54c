"""The sandbox provider's troubles, and what each does."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import Annotated, Literal

from pydantic import Field

from sandbox.faults import FaultBox
from sandbox.payments_forms import Form, Text
from sandbox.payments_problems import Problem

Operation = Literal["charge", "withdraw", "refund", "customer", "card", "page", "read", "webhook"]
FaultKind = Literal[
    "slow",
    "down",
    "fail",
    "rate_limit",
    "lose_reply",
    "webhook_off",
    "webhook_lost",
    "webhook_twice",
    "webhook_late",
]
ASKED: frozenset[Operation] = frozenset({"charge", "withdraw", "refund", "customer", "card", "page", "read"})
TOLD: frozenset[Operation] = frozenset({"webhook"})
STRIKES_ON: dict[str, frozenset[Operation]] = {
    "slow": ASKED,
    "down": ASKED,
    "fail": ASKED,
    "rate_limit": ASKED,
    "lose_reply": frozenset({"charge", "refund"}),
    "webhook_off": TOLD,
    "webhook_lost": TOLD,
    "webhook_twice": TOLD,
    "webhook_late": TOLD,
}


class Fault(Form):
    """Trouble to make: what, for whom, how often. See the program's help."""

    kind: FaultKind
    times: Annotated[int, Field(ge=1)] | None = None  # None: until it is lifted
    customer: Text | None = None  # None: any
    on: frozenset[Operation] = frozenset()  # empty: where the kind strikes by itself
    seconds: Annotated[float, Field(ge=0, le=600)] = (
        2.0  # slow, webhook_late: the wait; rate_limit: Retry-After
    )

    @property
    def whom(self) -> str | None:
        """The only customer it strikes."""
        return self.customer


class Faults(FaultBox[Fault]):
    """The faults that are set for customers."""

    def __init__(self) -> None:
        super().__init__(STRIKES_ON)

    async def strike(self, operation: Operation, customer: str | None) -> None:
        """What happens before the work is done: a wait, or a `Problem` in its stead."""
        if slow := self.take("slow", operation, customer):
            await asyncio.sleep(slow.seconds)
        if self.take("down", operation, customer):
            raise Problem(503, "api_error", "Stripe is down for maintenance.")
        if self.take("fail", operation, customer):
            raise Problem(500, "api_error", "An unknown error occurred.")
        if limit := self.take("rate_limit", operation, customer):
            message, wait = "Too many requests hit the API too quickly.", ceil(limit.seconds)
            raise Problem(429, "invalid_request_error", message, code="rate_limit", retry_after_seconds=wait)
