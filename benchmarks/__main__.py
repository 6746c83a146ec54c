"""Measures everything once and shows it: `python -m benchmarks [--size large] [--only PART …] [--json]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console

import worker
from benchmarks import (
    answers,
    checking,
    crowd,
    growth,
    history,
    ledger,
    memory,
    pages,
    reads,
    renewals,
    storing,
)
from benchmarks.charts import drawn
from benchmarks.figure import Figure
from benchmarks.ground import Ground, ground
from benchmarks.sheet import as_markdown, as_table, written
from benchmarks.size import SIZES, Size

PARTS = ("import", "term", "due", "growth", "database", "answer", "crowd", "memory", "reading")
to_errors = Console(stderr=True)


Measure = Callable[[Size, Ground], Awaitable[list[Figure]]]

GROUNDS: dict[str, tuple[tuple[str, str, Measure], ...]] = {
    "on": (
        ("import", "storing and starting", storing.measure),
        ("database", "the database", ledger.measure),
    ),
    "skipping": (("term", "a quiet term", lambda _, on: history.measure(on)),),
    "fresh": (
        ("answer", "answers", answers.measure),
        ("due", "renewals due at once", renewals.measure),
        ("growth", "many due at once", growth.measure),
    ),
    "crowd": (("crowd", "answers in a crowd", crowd.measure),),
    "large": (
        ("memory", "memory", memory.measure),
        ("reading", "reading", reads.measure),
        ("reading", "pages", pages.measure),
    ),
}
"""What is measured on the same servers, in this order: part, what to say, how. Others leave nothing in their memory."""


async def measured(size: Size, parts: Sequence[str]) -> list[Figure]:
    """All figures of these parts."""
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="evergreen-") as name:
        folder = Path(name)
        if "import" in parts:
            to_errors.print("checking …")
            figures += await checking.measure(size, folder)
        for where, steps in GROUNDS.items():
            wanted = [step for step in steps if step[0] in parts]
            if wanted:
                async with ground(folder / where, time_skipping=where == "skipping") as on:
                    for _, said, measure in wanted:
                        to_errors.print(f"{said} …")
                        figures += await measure(size, on)
    return figures


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small", help="how much to measure (small: minutes)")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="only these parts")
    parser.add_argument("--repeats", type=int, metavar="N", help="how often each is measured (3; large: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument(
        "--docs", action="store_true", help="write the table into docs/performance.md as well"
    )
    options = parser.parse_args()
    size = SIZES[options.size]
    if options.repeats:
        size = replace(size, repeats=options.repeats)
    began = perf_counter()
    with asyncio.Runner(loop_factory=worker.loop_factory()) as runner:
        figures = runner.run(measured(size, options.only))
    how = {
        "size": size.name,
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "seconds": round(perf_counter() - began),
        "machine": f"{os.cpu_count()} processors, {platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "repeats": size.repeats,
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
