"""Storing an import's rows and starting their workflows, beside COPY and beside a loop that only starts workflows."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import select, text

import starter
from activities.attributes import attributes_of
from activities.intake import AT_ONCE
from activities.starts import start
from benchmarks import bare, book
from benchmarks.bare import Sleeper
from benchmarks.figure import Figure, interleaved
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from db import intakes
from db.identifiers import new_id
from db.life import life_of
from db.models.subscription import Subscription
from db.subscriptions import Held, held_query
from domain.messages import Life, subscription_workflow_id

FIRST_TASK = 3
"""Events of a workflow that waits for its first task: started, scheduled, and maybe taken."""

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
        tables = copied_rows(size.rows_stored)
        began = perf_counter()
        await copy(ground, tables)
        return size.rows_stored / (perf_counter() - began)

    plain, with_credit, floor = await interleaved(
        size.repeats,
        lambda: stored(size.rows_stored, 0),
        lambda: stored(size.rows_stored // 4, 20_000),
        copied,
    )
    async with ground.our_worker(), ground.bare_worker():
        like = await _some_life(ground)
        starts, dressed, plain_starts = await interleaved(
            size.repeats,
            lambda: _started(ground, size.starts),
            lambda: _bare_started(ground, size.starts, like),
            lambda: _bare_started(ground, size.starts, None),
        )
    floor_is = "COPY into the same three tables"
    return [
        Figure(
            "import",
            f"rows stored, of {size.rows_stored:,}",
            "rows/s",
            plain,
            floor,
            floor_is,
            label="stored",
        ),
        Figure(
            "import",
            "rows stored, each with an opening credit",
            "rows/s",
            with_credit,
            floor,
            floor_is,
            label="with credit",
        ),
        *(
            Figure(
                "import",
                f"workflows started, of {size.starts:,}",
                "starts/s",
                starts,
                floor,
                f"a bare loop of start_workflow, {AT_ONCE} at a time, {what}",
                at_least=goal,
                label="started" if goal else "",
            )
            for floor, what, goal in (
                (dressed, "of one that only sleeps, with the same input, search attributes and summary", 0.9),
                (plain_starts, "of one that only sleeps, with nothing", None),
            )
        ),
    ]


async def _started(ground: Ground, number: int) -> float:
    intake_id = new_id("imp")
    await book.store(ground, number, today() + timedelta(days=200), intake_id=intake_id)
    began = perf_counter()
    await starter.start_intake(ground.client, intake_id)
    started = 0
    while started < number:
        await asyncio.sleep(0.05)
        async with ground.sessions() as session:
            started, _ = await intakes.progress(session, intake_id)
    rate = number / (perf_counter() - began)
    async with ground.sessions() as session:
        ids = await session.scalars(select(Subscription.id).where(Subscription.intake_id == intake_id))
    await _asleep(ground, [subscription_workflow_id(id) for id in ids.all()])
    return rate


async def _bare_started(ground: Ground, number: int, like: Life | None) -> float:
    """Start workflows that only sleep; with the payload, search attributes and summary of this life, if given."""
    gate, name = asyncio.Semaphore(AT_ONCE), new_id("bare")
    ids = [f"{name}/{ordinal}" for ordinal in range(number)]
    dressed: dict[str, Any] = (
        {"args": [like], "search_attributes": attributes_of(like), "static_summary": like.product}
        if like is not None
        else {}
    )

    async def one(workflow_id: str) -> None:
        async with gate:
            await ground.client.start_workflow(
                Sleeper.run, id=workflow_id, task_queue=bare.TASK_QUEUE, **dressed
            )

    began = perf_counter()
    await asyncio.gather(*(one(workflow_id) for workflow_id in ids))
    rate = number / (perf_counter() - began)
    await _asleep(ground, ids)
    return rate


async def start_all(ground: Ground, number: int) -> None:
    """Start so many new subscriptions and wait until all of them sleep; any worker may be the one that runs them."""
    intake_id = await book.store(ground, number, today() + timedelta(days=200))
    async with ground.sessions() as session:
        query = held_query().where(Subscription.intake_id == intake_id)
        held = [Held(*row) for row in (await session.execute(query)).all()]
    lives = iter([life_of(one, ground.settings.policy()) for one in held])

    async def start_one_after_the_other() -> None:
        for life in lives:
            await start(ground.client, life)

    await asyncio.gather(*(start_one_after_the_other() for _ in range(AT_ONCE)))
    await _asleep(ground, [subscription_workflow_id(one.subscription.id) for one in held])


async def _asleep(ground: Ground, ids: list[str]) -> None:
    """Wait until each has had its first task, so that the next measurement finds the worker idle."""
    while ids:
        described = await ground.client.get_workflow_handle(ids[-1]).describe()
        if described.history_length > FIRST_TASK:
            ids.pop()
        else:
            await asyncio.sleep(0.02)


async def _some_life(ground: Ground) -> Life:
    intake_id = await book.store(ground, 1, today() + timedelta(days=200))
    async with ground.sessions() as session:
        query = held_query().where(Subscription.intake_id == intake_id)
        return life_of(Held(*(await session.execute(query)).one()), ground.settings.policy())


async def copy(ground: Ground, tables: dict[str, list[tuple[Any, ...]]]) -> None:
    async with ground.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        async with driver.transaction():
            for table, tuples in tables.items():
                await driver.copy_records_to_table(table, records=tuples, columns=COPIED[table])
        await connection.execute(text("SELECT 1"))


def copied_rows(number: int) -> dict[str, list[tuple[Any, ...]]]:
    """Rows for COPY, of the same size as ours; made before the clock runs."""
    now, expires_on = datetime.now(UTC), today() + timedelta(days=200)
    starts_on = expires_on - timedelta(days=364)
    made: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COPIED}
    for _ in range(number):
        customer, license, subscription = (new_id(kind) for kind in ("cus", "lic", "sub"))
        made["customers"].append((customer, f"{customer}@bench.example", "Customer", "GB", False, now))
        made["licenses"].append(
            (license, customer, secrets.token_bytes(70), secrets.token_bytes(32), secrets.token_hex(2).upper(),
             "SmarterMail", "Professional", "250", [], expires_on)
        )  # fmt: skip
        made["subscriptions"].append(
            (subscription, license, customer, "GBP", expires_on.day, starts_on, expires_on,
             expires_on - timedelta(days=14), now)
        )  # fmt: skip
    return made
