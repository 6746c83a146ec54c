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
