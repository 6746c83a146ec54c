"""The sandbox vendor's troubles, and what each does."""

import asyncio
from dataclasses import dataclass, field
from math import ceil

from sandbox.faults import FaultBox
from sandbox.vendor_forms import Fault, License, Operation
from sandbox.vendor_problems import Problem

EVERYTHING: frozenset[Operation] = frozenset({"lookup", "order", "find"})
STRIKES_ON: dict[str, frozenset[Operation]] = {
    "slow": EVERYTHING,
    "down": EVERYTHING,
    "fail": EVERYTHING,
    "rate_limit": EVERYTHING,
    "refuse": frozenset({"order"}),
    "lose_reply": frozenset({"order"}),
    "lag": frozenset({"order"}),
}


class Faults(FaultBox[Fault]):
    """The faults that are set for licenses."""

    def __init__(self) -> None:
        super().__init__(STRIKES_ON)

    async def strike(self, operation: Operation, license_key: str | None) -> None:
        """What happens before the work is done: a wait, or a `Problem` in its stead."""
        if slow := self.take("slow", operation, license_key):
            await asyncio.sleep(slow.seconds)
        if self.take("down", operation, license_key):
            raise Problem("down", "closed for maintenance")
        if self.take("fail", operation, license_key):
            raise Problem("failed", "something broke")
        if limit := self.take("rate_limit", operation, license_key):
            raise Problem("rate_limited", "too many requests", retry_after_seconds=ceil(limit.seconds))
        if self.take("refuse", operation, license_key):
            raise Problem("not_possible", "not sold for this license")


@dataclass
class Veils:
    """Old states of licenses that look-ups still see for a while, as behind a cache that lags."""

    _old: dict[str, tuple[License, int]] = field(default_factory=dict)

    def draw(self, old: License, reads: int) -> None:
        """Show the next so many look-ups this state; if one is still being shown, go on showing that."""
        shown, _ = self._old.get(old.license_key, (old, 0))
        self._old[old.license_key] = (shown, reads)

    def seen(self, license: License) -> License:
        """What a look-up sees of this license now."""
        old, reads = self._old.pop(license.license_key, (license, 0))
        if reads > 1:
            self._old[license.license_key] = (old, reads - 1)
        return old
