"""A year of chaos on the real stack.

    python -m chaos --seed 7 --subscriptions 200 --faults 40
    python -m chaos --resume .evergreen/chaos-7        # a run that was interrupted goes on

Exit codes: 0 nothing is wrong; 1 something is, and it is listed; 2 bad usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from chaos import report
from chaos.checker import evidence, judge
from chaos.run import Run, Size, save

PLACE = Path(".evergreen")


def main() -> int:
    """Run or go on, have the checker decide, tell what came of it."""
    given = _arguments()
    folder = given.resume or PLACE / f"chaos-{given.seed}"
    if given.resume is None:
        shutil.rmtree(folder, ignore_errors=True)
    elif not (folder / "traffic.jsonl").exists():
        sys.stderr.write(f"chaos: there is no run in {folder}: its traffic.jsonl is missing\n")
        return 2
    size = Size(given.seed, given.subscriptions, given.faults)
    console = Console(stderr=given.json, quiet=given.json)
    console.print(
        f"seed [bold]{size.seed}[/], folder {folder}; to go on after an interruption: --resume {folder}"
    )
    told = asyncio.run(chaos(folder, size, console))
    if given.json:
        sys.stdout.write(json.dumps(told.as_document(), indent=2) + "\n")
    told.show(console)
    return 0 if told.good else 1


async def chaos(folder: Path, size: Size, console: Console) -> report.Report:
    """One run on the folder, judged."""
    began = time.monotonic()
    async with Run.opened(folder, size) as run:
        with Progress(console=console, transient=True, disable=console.quiet) as progress:
            await run.live(progress)
        found = await evidence.read(folder, run.stack.addresses.database_url)
    save(folder, "evidence.json", found)
    told = report.Report.of(found, judge.violations(found), run.size.subscriptions, time.monotonic() - began)
    save(folder, "report.json", told.as_document())
    return told


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="what is dealt (any)")
    parser.add_argument("--subscriptions", type=int, default=100, help="licenses in the book (100)")
    parser.add_argument("--faults", type=int, default=42, help="faults, every kind in turn (42)")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the run of this folder")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, nothing else there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
