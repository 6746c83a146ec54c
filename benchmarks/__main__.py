"""Measures everything once and shows it: `python -m benchmarks [--size large] [--only PART …] [--json]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console

import worker
from benchmarks import answers, checking, crowd, growth, history, ledger, memory, reads, renewals, storing
from benchmarks.charts import drawn
from benchmarks.figure import Figure
from benchmarks.ground import ground
from benchmarks.sheet import as_markdown, as_table, written
from benchmarks.size import SIZES, Size

PARTS = ("import", "term", "due", "growth", "database", "answer", "crowd", "memory", "reading")
to_errors = Console(stderr=True)


async def measured(size: Size, parts: Sequence[str]) -> list[Figure]:
    """All figures of these parts."""
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="evergreen-") as name:
        folder = Path(name)
        if "import" in parts:
            to_errors.print("checking …")
            figures += await checking.measure(size, folder)
        async with ground(folder / "on") as on:
            if "import" in parts:
                to_errors.print("storing and starting …")
                figures += await storing.measure(size, on)
            if "database" in parts:
                to_errors.print("the database …")
                figures += await ledger.measure(size, on)
        if "term" in parts:
            to_errors.print("a quiet term …")
            async with ground(folder / "skipping", time_skipping=True) as on:
                figures += await history.measure(on)
        async with ground(folder / "fresh") as on:  # without what the others left in memory
            if "answer" in parts:
                to_errors.print("answers …")
                figures += await answers.measure(size, on)
            if "due" in parts:
                to_errors.print("renewals due at once …")
                figures += await renewals.measure(size, on)
            if "growth" in parts:
                to_errors.print("many due at once …")
                figures += await growth.measure(size, on)
        if "crowd" in parts:
            async with ground(folder / "crowd") as on:
                to_errors.print("answers in a crowd …")
                figures += await crowd.measure(size, on)
        async with ground(folder / "large") as on:
            if "memory" in parts:
                to_errors.print("memory …")
                figures += await memory.measure(size, on)
            if "reading" in parts:
                to_errors.print("reading …")
                figures += await reads.measure(size, on)
    return figures


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small", help="how much to measure (small: minutes)")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="only these parts")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument(
        "--docs", action="store_true", help="write the table into docs/performance.md as well"
    )
    options = parser.parse_args()
    began = perf_counter()
    with asyncio.Runner(loop_factory=worker.loop_factory()) as runner:
        figures = runner.run(measured(SIZES[options.size], options.only))
    how = {
        "size": options.size,
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "seconds": round(perf_counter() - began),
        "machine": f"{os.cpu_count()} processors, {platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "repeats": SIZES[options.size].repeats,
        "load": f"{os.getloadavg()[1]:.1f}",
    }
    if options.docs:
        written(as_markdown(figures, how, drawn(figures)))
    if options.json:
        sys.stdout.write(json.dumps({**how, "figures": [f.as_document() for f in figures]}, indent=2) + "\n")
    else:
        Console().print(as_table(figures, how))


if __name__ == "__main__":
    main()
