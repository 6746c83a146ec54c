"""Leases on notices, on a real PostgreSQL and with instants of the test's own."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, text, update

from db import outbox
from db.models.notice import Notice
from db.outbox import Claimed
from tests.notices.outgoing import AT, Outgoing

MINUTE = timedelta(minutes=1)
LONG_AGO = AT - timedelta(days=300)


async def due_at(outgoing: Outgoing, *minutes: float) -> list[str]:
    """Notices due so many minutes from AT; their ids."""
    for _ in minutes:
        await outgoing.notice()
    ids = [row.id for row in await outgoing.rows()]
    async with outgoing.sessions.begin() as session:
        for notice_id, wait in zip(ids, minutes, strict=True):
            await session.execute(
                update(Notice).where(Notice.id == notice_id).values(next_attempt_at=AT + wait * MINUTE)
            )
    return ids


async def claim(outgoing: Outgoing, limit: int, minute: float) -> list[Claimed]:
    async with outgoing.sessions.begin() as session:
        return await outbox.claim(session, limit, AT + minute * MINUTE)


async def test_what_is_due_longest_is_claimed_first_and_nothing_before_its_time(outgoing: Outgoing):
    ids = await due_at(outgoing, -1, -3, 1, -2)

    claimed = await claim(outgoing, 2, 0)

    assert {notice.id for notice in claimed} == {ids[1], ids[3]}
    assert [notice.id for notice in await claim(outgoing, 9, 0)] == [ids[0]]
    assert await claim(outgoing, 9, 0.9) == []


async def test_a_claim_is_a_lease_that_runs_out(outgoing: Outgoing):
    (notice_id,) = await due_at(outgoing, 0)

    (first,) = await claim(outgoing, 1, 0)
    assert (first.id, first.attempts, first.leased_until) == (notice_id, 1, AT + outbox.LEASE)
    assert await claim(outgoing, 1, 4.9) == []
    (second,) = await claim(outgoing, 1, 5)
    assert second.attempts == 2


async def test_claims_at_once_pass_each_other_by_and_do_not_wait(outgoing: Outgoing):
    ids = await due_at(outgoing, *[0] * 12)
    async with outgoing.sessions.begin() as one, outgoing.sessions.begin() as other:
        mine = await outbox.claim(one, 6, AT)
        theirs = await asyncio.wait_for(outbox.claim(other, 12, AT), timeout=2)

    assert len(mine) == len(theirs) == 6
    assert sorted(notice.id for notice in (*mine, *theirs)) == sorted(ids)


async def test_who_has_lost_the_lease_cannot_report_a_failure_but_can_report_that_it_was_sent(
    outgoing: Outgoing,
):
    await due_at(outgoing, 0)
    (late,) = await claim(outgoing, 1, 0)
    (owner,) = await claim(outgoing, 1, 5)

    async with outgoing.sessions.begin() as session:
        await outbox.failed(session, late, "late", None)
    (row,) = await outgoing.rows()
    assert (row.last_error, row.next_attempt_at) == (None, owner.leased_until)

    async with outgoing.sessions.begin() as session:
        await outbox.sent(session, late, AT)
        await outbox.failed(session, owner, "never arrived", None)
        await outbox.sent(session, owner, AT + MINUTE)
    (row,) = await outgoing.rows()
    assert (row.sent_at, row.last_error) == (AT, None)
    assert await claim(outgoing, 1, 60) == []


async def test_failing_notices_are_counted_by_age_and_those_given_up_apart(outgoing: Outgoing):
    await due_at(outgoing, *[0] * 6)
    claimed = await claim(outgoing, 5, 0)
    ages = ["1 minute", "2 hours", "3 days", "3 days", "1 minute"]
    async with outgoing.sessions.begin() as session:
        for notice, age in zip(claimed, ages, strict=True):
            given_up = notice is claimed[-1]
            await outbox.failed(session, notice, "no", None if given_up else AT + MINUTE)
            await session.execute(
                text("UPDATE notices SET recorded_at = now() - CAST(:age AS text)::interval WHERE id = :id"),
                {"age": age, "id": notice.id},
            )

    assert await outgoing.failing() == {"hour": 1, "day": 1, "older": 2, "given_up": 1}


async def test_what_is_given_up_is_never_claimed_until_it_is_to_be_tried_again(outgoing: Outgoing):
    await due_at(outgoing, 0, 0)
    async with outgoing.sessions.begin() as session:
        for notice in await outbox.claim(session, 2, AT):
            await outbox.failed(session, notice, "no", None)
    assert await claim(outgoing, 9, 60 * 24 * 365 * 100) == []

    async with outgoing.sessions.begin() as session:
        assert await outbox.try_again(session, AT + MINUTE) == 2
        assert (await session.scalars(select(Notice.last_error).distinct())).all() == ["no"]

    assert [notice.attempts for notice in await claim(outgoing, 9, 1)] == [2, 2]
    async with outgoing.sessions.begin() as session:
        assert await outbox.try_again(session, AT) == 0
