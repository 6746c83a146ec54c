"""What waits, as the metrics read it."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import figures
from tests.db.shelf import Shelf

Sessions = async_sessionmaker[AsyncSession]


async def test_an_empty_book_has_figures_of_nothing(sessions: Sessions) -> None:
    async with sessions() as session:
        assert await figures.money_waiting_minor(session) == {}
        assert await figures.due(session, date(2099, 1, 1)) == 0
        assert await figures.troubled(session) == dict.fromkeys(figures.TROUBLED, 0)
        assert await figures.update_queue(session) == {"api": figures.Queue(), "by_hand": figures.Queue()}
        assert await figures.outbox(session) == await figures.not_started(session) == figures.Queue()


async def test_license_updates_are_counted_by_channel_with_those_past_their_promise(
    sessions: Sessions,
) -> None:
    """R23: by the wall clock, as promises to people are."""
    shelf, now = Shelf(sessions), datetime.now(UTC)
    await shelf.paid(await shelf.license(), channel="api", promise_at=now + timedelta(days=1))
    await shelf.paid(await shelf.license(), channel="by_hand", promise_at=now - timedelta(days=1))
    await shelf.paid(await shelf.license(), channel="by_hand", promise_at=now + timedelta(days=1))
    await shelf.close(await shelf.paid(await shelf.license(), channel="by_hand"), "done")

    async with sessions() as session:
        queues = await figures.update_queue(session)
    assert {name: (queue.waiting, queue.late) for name, queue in queues.items()} == {
        "api": (1, 0),
        "by_hand": (2, 1),
    }
    assert all(0 <= queue.oldest_seconds < 60 for queue in queues.values())


async def test_differences_count_until_they_are_mended_gone_or_accepted(sessions: Sessions) -> None:
    columns = "kind text, healed_at timestamptz, gone_at timestamptz, accepted_at timestamptz"
    rows = (
        "('terms', NULL, NULL, NULL), ('terms', NULL, NULL, NULL), ('payment', NULL, NULL, NULL),"
        " ('terms', now(), NULL, NULL), ('terms', NULL, now(), NULL), ('terms', NULL, NULL, now())"
    )
    async with sessions() as session:  # a table of this session's own, which hides any other of that name
        await session.execute(text(f"CREATE TEMP TABLE differences ({columns}) ON COMMIT DROP"))
        await session.execute(text(f"INSERT INTO differences VALUES {rows}"))
        assert await figures.differences(session) == {"terms": 2, "payment": 1}
        await session.rollback()
