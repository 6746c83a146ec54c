"""How long somebody waits for an answer while an import is being started, beside the same question on an idle system.

The worker is the real program, alone in its process as it is deployed; the floor is measured before and after.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import starter
from benchmarks import book
from benchmarks.answers import asleep
from benchmarks.figure import Figure, percentile
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from db import intakes
from db.identifiers import new_id
from domain.messages import Cancel, Resume
from sandbox.stack import WORKER

PAUSE_SECONDS = 0.02
"""People do not ask without a break."""


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Cancel and resume in turn, before, while and after an import's workflows are started."""
    async with _worker(ground):
        subscription_id = await asleep(ground)
        await asked(ground, subscription_id, 10)
        before = await asked(ground, subscription_id, 50)
        intake_id = new_id("imp")
        await book.store(ground, size.crowd, today() + timedelta(days=200), intake_id=intake_id)
        began = perf_counter()
        await starter.start_intake(ground.client, intake_id)
        meanwhile: list[float] = []
        while not await _all_started(ground, intake_id):
            meanwhile += await asked(ground, subscription_id, 10)
        took = perf_counter() - began
        await asyncio.sleep(2)  # the last of the started ones fall asleep
        idle = [*before, *await asked(ground, subscription_id, 50)]
    what = f"a cancel or resume is answered while {size.crowd:,} imports are being started"
    return [
        Figure(
            "an answer",
            f"{what}, p50",
            "ms",
            median(meanwhile),
            median(idle),
            "the same when nothing else runs",
        ),
        Figure("an answer", f"{what}, p99", "ms", percentile(meanwhile, 0.99), percentile(idle, 0.99), "〃"),
        Figure("an answer", "… and are started at", "starts/s", size.crowd / took),
    ]


async def asked(ground: Ground, subscription_id: str, times: int) -> list[float]:
    """The milliseconds of each answer."""
    found = []
    for ordinal in range(times):
        await asyncio.sleep(PAUSE_SECONDS)
        began = perf_counter()
        if ordinal % 2:
            taken = await starter.resume(ground.client, subscription_id, Resume(by="benchmark"))
        else:
            taken = await starter.cancel(ground.client, subscription_id, Cancel(by="benchmark"))
        assert taken.decision
        found.append((perf_counter() - began) * 1000)
    return found


async def _all_started(ground: Ground, intake_id: str) -> bool:
    async with ground.sessions() as session:
        started, rows = await intakes.progress(session, intake_id)
    return started >= rows


@asynccontextmanager
async def _worker(ground: Ground) -> AsyncIterator[None]:
    """`python worker.py` on these servers."""
    with TemporaryDirectory(prefix="evergreen-") as name:
        program, _url = await WORKER.start(
            log=Path(name) / "log", filled_in={}, env=ground.variables, any_ports=True
        )
        try:
            yield
        finally:
            await program.stop()
