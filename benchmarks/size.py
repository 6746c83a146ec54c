"""How much is measured: enough to see the ratios by default, more where somebody has the time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Numbers of things, and how often each measurement is repeated."""

    name: str
    rows_checked: int = 200_000
    rows_stored: int = 4_000
    starts: int = 190
    """Fewer than a chunk: a larger import is slowed on purpose, to leave room for others."""
    due: int = 80
    settled: int = 200
    entries: int = 10_000
    updates: int = 150
    read: int = 100_000
    pages: int = 20_000
    asleep: int = 200
    asleep_times: int = 5
    growth: int = 50
    crowd: int = 600
    repeats: int = 3


SMALL = Size("small")
LARGE = Size(
    "large",
    rows_stored=50_000,
    due=1_000,
    settled=4_000,
    updates=1_000,
    pages=100_000,
    asleep=1_000,
    asleep_times=10,
    growth=500,
    crowd=5_000,
    repeats=5,
)
SIZES = {size.name: size for size in (SMALL, LARGE)}
