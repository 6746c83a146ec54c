"""Storing an import's rows and starting their workflows, beside COPY and beside a loop that only starts workflows."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import text

import starter
from activities.intake import AT_ONCE
from benchmarks import bare, book
from benchmarks.bare import Sleeper
from benchmarks.figure import Figure, interleaved
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from db import intakes
from db.identifiers import new_id

COPIED = {
    "customers": ("id", "email", "name", "country", "previous_customer", "created_at"),
    "licenses": (
        "id", "customer_id", "key_ciphertext", "fingerprint", "last_four",
        "product", "edition", "size", "addons", "vendor_expires_on",
    ),
    "subscriptions": (
        "id", "license_id", "customer_id", "currency", "anchor_day",
        "starts_on", "expires_on", "next_renews_on", "at",
    ),
}  # fmt: skip


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Rows stored a second, with and without credit; workflows started a second."""
    expires_on = today() + timedelta(days=200)

    async def stored(number: int, credit_minor: int) -> float:
        began = perf_counter()
        await book.store(ground, number, expires_on, credit_minor)
        return number / (perf_counter() - began)

    async def copied() -> float:
        tables = _tuples(size.rows_stored)
        began = perf_counter()
        await _copy(ground, tables)
        return size.rows_stored / (perf_counter() - began)

    plain, with_credit, floor = await interleaved(
        size.repeats,
        lambda: stored(size.rows_stored, 0),
        lambda: stored(size.rows_stored // 4, 20_000),
        copied,
    )
    async with ground.our_worker(), ground.bare_worker():
        starts, bare_starts = await interleaved(
            size.repeats, lambda: _started(ground, size.starts), lambda: _bare_started(ground, size.starts)
        )
    copy = "COPY into the same three tables"
    return [
        Figure("import", f"rows stored, of {size.rows_stored:,}", "rows/s", plain, floor, copy),
        Figure("import", "rows stored, each with an opening credit", "rows/s", with_credit, floor, copy),
        Figure(
            "import",
            f"workflows started and asleep, of {size.starts:,}",
            "starts/s",
            starts,
            bare_starts,
            f"start_workflow of one that only sleeps, {AT_ONCE} at a time",
        ),
    ]


async def _started(ground: Ground, number: int) -> float:
    intake_id = new_id("imp")
    await book.store(ground, number, today() + timedelta(days=200), intake_id=intake_id)
    began = perf_counter()
    await starter.start_intake(ground.client, intake_id)
    started = 0
    while started < number:
        await asyncio.sleep(0.02)
        async with ground.sessions() as session:
            started, _ = await intakes.progress(session, intake_id)
    return number / (perf_counter() - began)


async def _bare_started(ground: Ground, number: int) -> float:
    gate, name = asyncio.Semaphore(AT_ONCE), new_id("bare")

    async def one(ordinal: int) -> None:
        async with gate:
            await ground.client.start_workflow(
                Sleeper.run, id=f"{name}/{ordinal}", task_queue=bare.TASK_QUEUE
            )

    began = perf_counter()
    await asyncio.gather(*(one(ordinal) for ordinal in range(number)))
    return number / (perf_counter() - began)


async def _copy(ground: Ground, tables: dict[str, list[tuple[Any, ...]]]) -> None:
    async with ground.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        async with driver.transaction():
            for table, tuples in tables.items():
                await driver.copy_records_to_table(table, records=tuples, columns=COPIED[table])
        await connection.execute(text("SELECT 1"))


def _tuples(number: int) -> dict[str, list[tuple[Any, ...]]]:
    """Rows for COPY, of the same size as ours; made before the clock runs."""
    now, expires_on = datetime.now(UTC), today() + timedelta(days=200)
    starts_on = expires_on - timedelta(days=364)
    made: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COPIED}
    for _ in range(number):
        customer, license, subscription = (new_id(kind) for kind in ("cus", "lic", "sub"))
        made["customers"].append((customer, f"{customer}@bench.example", "Customer", "GB", False, now))
        made["licenses"].append(
            (license, customer, secrets.token_bytes(70), secrets.token_bytes(32), "ABCD",
             "SmarterMail", "Professional", "250", [], expires_on)
        )  # fmt: skip
        made["subscriptions"].append(
            (subscription, license, customer, "GBP", expires_on.day, starts_on, expires_on,
             expires_on - timedelta(days=14), now)
        )  # fmt: skip
    return made
