"""Whether a renewal costs more when many are due at once: the same measurement, eight times as many."""

from __future__ import annotations

from benchmarks.figure import Figure, interleaved
from benchmarks.ground import Ground
from benchmarks.renewals import Pace, again, ours
from benchmarks.size import Size

TIMES = 8


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Milliseconds for a renewal, few due at once and many."""
    few, many = size.growth, size.growth * TIMES
    pace = Pace()
    few_rate, many_rate = await interleaved(
        max(1, size.repeats - 1),
        lambda: again(lambda: ours(ground, few, pace, cold=False)),
        lambda: again(lambda: ours(ground, many, pace, cold=False)),
    )
    return [
        Figure(
            "growth",
            f"time for each renewal of {many:,} due at once",
            "ms",
            1000 / many_rate,
            1000 / few_rate,
            f"for each of {few:,} due at once",
            label=f"{few:,} → {many:,}",
            ratio_at_most=1.15,
        )
    ]
