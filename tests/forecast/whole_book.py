"""The whole example book, forecast and then really lived through: run by hand, as it takes minutes.

    python -m tests.forecast.whole_book

Both are held line by line; the exit code is 1 when anything differs. What came of it last is in docs/forecast.md.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from tests.commands.book import example
from tests.commands.program import CommandLine
from tests.end_to_end.world import OwnWorker, world
from tests.forecast.agreement import Agreement, agreement
from tests.forecast.book import LiveBook
from tests.forecast.script import Script

EACH = 2
"""So many customers play each scene."""
PATIENCE_SECONDS = 900.0
AT_A_TIME = 70
"""So the forecast is made in three pieces."""


async def compare() -> Agreement:
    """The year of the whole book, both ways."""
    with TemporaryDirectory(prefix="evergreen-") as name:
        folder = Path(name)
        async with world(identity="tests") as made:
            worker, live = OwnWorker(made), LiveBook(made)
            await worker.start()
            book = await live.take(example("licenses.csv"), folder)
            evergreen = CommandLine(folder, made.variables, patience_seconds=PATIENCE_SECONDS)

            async def forecast(events: Path, until: date) -> dict[str, Any]:
                given = ("--until", str(until), "--events", str(events), "--at-a-time", str(AT_A_TIME))
                answer = await evergreen("forecast", *given, "--json")
                assert answer.code == 0, answer.said
                seen: dict[str, Any] = answer.json["plain"]
                return seen

            script = Script.of(book, made.settings.price_list(), live.today, EACH)
            found = await agreement(live, script, folder, forecast)
            await worker.stop()
    print(f"{len(book)} licenses of {len({held.customer.id for held in book})} customers")
    done = Counter(event.what.value for event in (*script.before, *script.on_the_way))
    print("done by people:", ", ".join(f"{what} {number}" for what, number in sorted(done.items())))
    return found


def main() -> None:
    """Compare, tell, and end with 1 when anything differs."""
    began = perf_counter()
    found = asyncio.run(compare())
    kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(found.kinds().items()))
    print(f"lines: {len(found.happened)}: {kinds}")
    differences = [*found.seen["problems"], *found.differences()]
    print("\n".join(differences) or "forecast and outcome agree line by line")
    print(f"{perf_counter() - began:.0f} s")
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
