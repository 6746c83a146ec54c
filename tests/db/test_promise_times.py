"""Promises are counted as updates close, by the database itself, so that no page counts every update."""

import asyncio
import importlib
from datetime import timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db.models.license_update import LicenseUpdate
from db.models.promise import PromiseTime
from tests.db.shelf import PROMISE_AT, Shelf

Sessions = async_sessionmaker[AsyncSession]

LATER = PROMISE_AT + timedelta(days=30)


async def counted(sessions: Sessions) -> dict[object, tuple[int, int, int]]:
    """What each promise time says: kept, broken, refused; times of which nothing is left are passed over."""
    async with sessions() as session:
        rows = await session.scalars(select(PromiseTime))
        found = {row.promise_at: (row.kept, row.broken, row.refused) for row in rows}
    return {at: counts for at, counts in found.items() if any(counts)}


async def test_an_update_counts_as_what_it_is_now_however_often_it_changes(sessions: Sessions) -> None:
    shelf = Shelf(sessions)
    update_id = await shelf.paid(await shelf.license(), promise_at=PROMISE_AT)
    assert await counted(sessions) == {}

    await shelf.close(update_id, "done", at=PROMISE_AT)
    await shelf.close(update_id, "done", at=PROMISE_AT)
    assert await counted(sessions) == {PROMISE_AT: (1, 0, 0)}

    await shelf.close(update_id, "done", at=PROMISE_AT + timedelta(seconds=1))
    assert await counted(sessions) == {PROMISE_AT: (0, 1, 0)}

    async with sessions.begin() as session:
        update = await session.get_one(LicenseUpdate, update_id)
        update.promise_at = LATER
    assert await counted(sessions) == {LATER: (1, 0, 0)}

    async with sessions.begin() as session:
        update = await session.get_one(LicenseUpdate, update_id)
        update.state, update.done_at = "pending", None
    assert await counted(sessions) == {}


async def test_two_that_close_two_updates_each_crosswise_are_all_counted(sessions: Sessions) -> None:
    """They share promise times, and wait in line for them, not in a circle."""
    shelf = Shelf(sessions)
    held = [await shelf.license() for _ in range(5)]
    times = (PROMISE_AT, PROMISE_AT, LATER, LATER, PROMISE_AT)
    first, *updates = [await shelf.paid(one, promise_at=at) for one, at in zip(held, times, strict=True)]
    await shelf.close(first, "refused")

    async def close(*update_ids: str) -> None:
        async with sessions.begin() as session:
            for update_id in update_ids:
                update = await session.get_one(LicenseUpdate, update_id)
                update.state, update.refusal = "refused", "RevokedKey"
                await session.flush()

    async with sessions() as holder:
        await holder.execute(select(PromiseTime).with_for_update())
        closing = []
        for number, pair in enumerate((updates[:2], updates[2:]), 1):
            closing.append(asyncio.create_task(close(*pair)))
            await until_so_many_wait(sessions, number)
        await holder.rollback()
    await asyncio.gather(*closing)

    assert await counted(sessions) == {PROMISE_AT: (0, 0, 3), LATER: (0, 0, 2)}


async def until_so_many_wait(sessions: Sessions, number: int) -> None:
    """Until so many transactions wait for a lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with asyncio.timeout(10):
        while True:
            async with sessions() as session:
                if await session.scalar(waiting) == number:
                    return
            await asyncio.sleep(0.01)


async def test_the_migration_counts_what_was_closed_before_it(
    engine: AsyncEngine, sessions: Sessions
) -> None:
    shelf = Shelf(sessions)
    for late in (False, True):
        for state in ("done", "refused"):
            await shelf.close(await shelf.paid(await shelf.license()), state, at=PROMISE_AT, late=late)
    await shelf.paid(await shelf.license())
    kept = await counted(sessions)
    assert kept == {PROMISE_AT: (1, 2, 1)}

    async with engine.begin() as connection:
        await connection.execute(delete(PromiseTime))
        count_all = importlib.import_module("db.migrations.versions.0012_page_times").COUNT_ALL
        await connection.execute(text(count_all))

    assert await counted(sessions) == kept
