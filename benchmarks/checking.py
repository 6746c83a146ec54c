"""Checking an import file: rows a second and memory, beside taking the same lines apart and no more."""

from __future__ import annotations

import asyncio
import csv
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from benchmarks import book
from benchmarks.figure import Figure, interleaved
from benchmarks.ground import today
from benchmarks.reading import checked
from benchmarks.size import Size

TRACED_SHARE = 10
"""Tracing memory is slow: a tenth of the rows shows what each adds."""


async def measure(size: Size, folder: Path) -> list[Figure]:
    """Rows a second, and the memory that a row adds."""
    file, tenth = folder / "book.csv", folder / "tenth.csv"
    expires_on = today() + timedelta(days=200)
    book.write(file, size.rows_checked, expires_on)
    book.write(tenth, size.rows_checked // TRACED_SHARE, expires_on)

    async def ours() -> float:
        began = perf_counter()
        assert checked(file) == size.rows_checked
        return size.rows_checked / (perf_counter() - began)

    async def floor() -> float:
        began = perf_counter()
        with file.open(encoding="utf-8", newline="") as opened:
            assert sum(1 for _ in csv.reader(opened)) == size.rows_checked + 1
        return size.rows_checked / (perf_counter() - began)

    rate, floor_rate = await interleaved(size.repeats, ours, floor)
    megabytes, base_megabytes = await peak(file), await peak()
    tracemalloc.start()
    checked(tenth)
    bytes_a_row = tracemalloc.get_traced_memory()[1] / (size.rows_checked // TRACED_SHARE)
    tracemalloc.stop()
    return [
        Figure(
            "import",
            f"rows checked, of {size.rows_checked:,}",
            "rows/s",
            rate,
            floor_rate,
            "csv.reader alone",
            label="checked",
        ),
        Figure(
            "import",
            f"peak memory of the process that checks {size.rows_checked:,} rows",
            "MB",
            megabytes,
            base_megabytes,
            "the same process before the first row",
        ),
        Figure("import", "memory at the peak, traced, a row", "bytes", bytes_a_row),
    ]


async def peak(*files: Path) -> float:
    """Peak memory in MB of a fresh process that checks the files."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.reading", *files, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return int(out) / 1024**2
