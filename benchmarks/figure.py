"""One measured figure beside its floor: the least that any program could do for the same, in the same run."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

Way = Callable[[], Awaitable[float]]
"""One way to do a thing; measures itself once and answers in the figure's unit."""


@dataclass(frozen=True)
class Figure:
    """What was measured, in which unit; `floor_is` says what the floor does."""

    part: str
    what: str
    unit: str
    ours: float
    floor: float | None = None
    floor_is: str = ""
    at_least: float | None = None
    """The goal: so large a multiple of the floor."""
    at_most: float | None = None
    """The goal: so much in the figure's own unit."""

    ratio_at_most: float | None = None
    """The goal: no larger a multiple of the floor."""
    label: str = ""
    """What it is called in a chart; empty: it is in none."""

    @property
    def goal(self) -> str:
        """The goal in words, and whether it is met; empty if there is none."""
        if self.at_least is not None and self.ratio is not None:
            return f"≥ {self.at_least:g} × {'met' if self.ratio >= self.at_least else 'missed'}"
        if self.ratio_at_most is not None and self.ratio is not None:
            return f"≤ {self.ratio_at_most:g} × {'met' if self.ratio <= self.ratio_at_most else 'missed'}"
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {'met' if self.ours <= self.at_most else 'missed'}"
        return ""

    @property
    def ratio(self) -> float | None:
        """Ours as a multiple of the floor; only this travels from machine to machine."""
        return self.ours / self.floor if self.floor else None

    def as_document(self) -> dict[str, Any]:
        """The figure as JSON."""
        return {**asdict(self), "ratio": self.ratio}


async def interleaved(repeats: int, *ways: Way) -> list[float]:
    """The median of each way; they take turns, each time another first, so that a slow minute slows all."""
    found: list[list[float]] = [[] for _ in ways]
    for repeat in range(repeats):
        for turn in range(len(ways)):
            number = (repeat + turn) % len(ways)
            gc.collect()
            found[number].append(await ways[number]())
    return [median(times) for times in found]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
