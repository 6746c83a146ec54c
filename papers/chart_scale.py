"""The scale of a chart: round numbers from nought, or from below it, to what must be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

STEPS = (1, 2, 2.5, 5, 10)
AT_MOST = 6
"""More lines than that make a chart gray."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Ticks in a row, the first and the last being the ends of the scale."""

    ticks: tuple[float, ...]

    @classmethod
    def over(cls, values: Sequence[float]) -> Scale:
        """The scale that all values are on; nought always is."""
        low, high = min((0.0, *values)), max((0.0, *values))
        if low == high:
            high = 1.0
        whole = all(value == int(value) for value in values)
        step = _step((high - low) / (AT_MOST - 1), whole)
        first, last = floor(low / step), ceil(high / step)
        return cls(tuple(round(number * step, 10) for number in range(first, last + 1)))

    def share(self, value: float) -> float:
        """How far up the scale a value is, 0 to 1."""
        return (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


def _step(least: float, whole: bool) -> float:
    """The least round number from this on; of whole things there is no half."""
    power = 10.0 ** floor(log10(least))
    step = next(power * one for one in STEPS if power * one >= least * (1 - 1e-9))
    return float(max(1, ceil(step))) if whole else step
