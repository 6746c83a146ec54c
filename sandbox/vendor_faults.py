"""The sandbox vendor's troubles: which are set, whom they strike next. Kept in memory: a restart heals."""

import asyncio
from dataclasses import dataclass, field
from math import ceil

from sandbox.vendor_forms import Fault, FaultKind, License, Operation
from sandbox.vendor_problems import Problem

EVERYTHING: frozenset[Operation] = frozenset({"lookup", "order", "find"})
STRIKES_ON: dict[FaultKind, frozenset[Operation]] = {
    "slow": EVERYTHING,
    "down": EVERYTHING,
    "fail": EVERYTHING,
    "rate_limit": EVERYTHING,
    "refuse": frozenset({"order"}),
    "lose_reply": frozenset({"order"}),
    "lag": frozenset({"order"}),
}


@dataclass
class Faults:
    """The faults that are set, oldest first; each strikes `times` times, or until it is cleared."""

    _standing: list[tuple[Fault, int | None]] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Set a fault beside those that stand."""
        self._standing.append((fault, fault.times))

    def clear(self, kind: FaultKind | None = None) -> None:
        """Lift the faults of a kind, or all."""
        self._standing = [entry for entry in self._standing if kind is not None and entry[0].kind != kind]

    def standing(self) -> list[Fault]:
        """What is still to come: `times` is what is left."""
        return [fault.model_copy(update={"times": left}) for fault, left in self._standing]

    def take(self, kind: FaultKind, operation: Operation, license_key: str | None) -> Fault | None:
        """The first fault of this kind that strikes here, used up once; None if there is none."""
        for index, (fault, left) in enumerate(self._standing):
            strikes = operation in (fault.on or STRIKES_ON[kind])
            if fault.kind == kind and strikes and fault.license_key in (None, license_key):
                if left == 1:
                    del self._standing[index]
                elif left is not None:
                    self._standing[index] = (fault, left - 1)
                return fault
        return None

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
