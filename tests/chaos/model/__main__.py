"""The model check by hand, over as many cases as wanted: `python -m tests.chaos.model --seed 7 --cases 2000`."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time
from datetime import UTC, datetime
from itertools import islice

from rich.console import Console
from rich.progress import Progress

from tests.chaos.model.cases import cases
from tests.chaos.model.play import player

BATCH = 200


async def check(seed: int, count: int) -> int:
    """Play and compare; how many cases disagree with the rules."""
    console, began, wrong = Console(), time.monotonic(), 0
    console.print(f"seed [bold]{seed}[/], {count} cases")
    async with player() as ready:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("cases", total=count)
            dealt = cases(seed, count, datetime.now(UTC).date())
            while some := list(islice(dealt, BATCH)):
                for outcome in await ready.all(some, lambda: progress.advance(task)):
                    if outcome.differences():
                        wrong += 1
                        smallest, differences = await ready.shrunk(outcome.case)
                        console.print(
                            f"[red]{smallest}[/]", *(f"\n  {line}" for line in differences), soft_wrap=True
                        )
    console.print(
        f"{count} cases, {wrong} disagree with the rules, {time.monotonic() - began:.0f} s, seed {seed}"
    )
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--cases", type=int, default=200)
    given = parser.parse_args()
    sys.exit(1 if asyncio.run(check(given.seed, given.cases)) else 0)
