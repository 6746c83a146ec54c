"""Staff's news of one license update, brought to its workflow: done, refused for good, or another way from now on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from db import update_queue
from db.update_queue import QueuedUpdate
from domain.messages import LicenseUpdated

LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Reported:
    """The update after the news; whether a worker has written it down yet."""

    update: QueuedUpdate
    taken: bool


async def report(
    sessions: async_sessionmaker[AsyncSession], client: Client, news: LicenseUpdated
) -> Reported:
    """Check the news, leave it with the workflow, and look for a while whether it is written down.

    Raises UnknownUpdate, UpdateClosed, ExpiryNotAsPromised, NotRunning, RPCError.
    """
    async with sessions() as session:
        owed = await update_queue.one(session, news.update_id, datetime.now(UTC))
    if news.expires_on is not None:
        owed.check_done(news.expires_on)
    else:
        owed.check_open()
    await starter.report_update(client, owed.subscription_id, news)
    return await _awaited(sessions, news, _sign_of(news))


def _sign_of(news: LicenseUpdated) -> Callable[[QueuedUpdate], bool]:
    """By what one sees that the news is written down."""
    if news.expires_on is not None:
        return lambda update: update.state == "done"
    if news.refusal:
        return lambda update: update.state == "refused"
    return lambda update: update.channel == news.channel


async def _awaited(
    sessions: async_sessionmaker[AsyncSession], news: LicenseUpdated, is_taken: Callable[[QueuedUpdate], bool]
) -> Reported:
    """Look for as long as a worker that is there would take."""
    waited_until = asyncio.get_running_loop().time() + starter.ANSWER_WITHIN.total_seconds()
    while True:
        async with sessions() as session:
            update = await update_queue.one(session, news.update_id, datetime.now(UTC))
        if is_taken(update):
            return Reported(update, True)
        if asyncio.get_running_loop().time() > waited_until:
            return Reported(update, False)
        await asyncio.sleep(LOOK_SECONDS)
