"""What a worker's memory is while subscriptions sleep: it holds as many as its cache, whatever there are."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it brings no types

from benchmarks.figure import Figure
from benchmarks.ground import Ground
from benchmarks.size import Size
from benchmarks.storing import start_all

WORKER = Path(__file__).parent.parent / "worker.py"
MEGABYTE = 1024**2


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """The real worker program, before the first subscription, with some asleep and with many times as many."""
    async with _worker(ground, size.asleep // 2) as process:
        megabytes = [process.memory_info().rss / MEGABYTE]
        for number in (size.asleep, size.asleep * (size.asleep_times - 1)):
            await start_all(ground, number)
            megabytes.append(process.memory_info().rss / MEGABYTE)
    empty, some, many = megabytes
    total = size.asleep * size.asleep_times
    return [
        Figure(
            "memory",
            f"a worker that holds {size.asleep // 2:,}, with {size.asleep:,} subscriptions asleep",
            "MB",
            some,
            empty,
            "the same worker before the first",
            label=f"{size.asleep:,} asleep",
        ),
        Figure(
            "memory",
            f"the same worker with {total:,} asleep",
            "MB",
            many,
            some,
            f"with {size.asleep:,} asleep",
            label=f"{total:,} asleep",
            ratio_at_most=1.1,
        ),
    ]


@asynccontextmanager
async def _worker(ground: Ground, cached: int) -> AsyncIterator[psutil.Process]:
    settings = ground.settings
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": ground.temporal_address,
        "EVERGREEN_DATABASE_URL": settings.database_url,
        "EVERGREEN_SECRET_KEYS": settings.secret_keys.get_secret_value(),
        "EVERGREEN_CODEC_KEYS": settings.codec_keys.get_secret_value(),
        "EVERGREEN_FINGERPRINT_PEPPER": settings.fingerprint_pepper.get_secret_value(),
        "EVERGREEN_CACHED_WORKFLOWS": str(cached),
        "EVERGREEN_HEALTH_PORT": "0",
        "EVERGREEN_METRICS_PORT": "0",
        "EVERGREEN_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, str(WORKER), env=environment)
    try:
        await start_all(ground, 1)  # its first task shows that it is up
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()
