"""Counting how often somebody does something, in fixed windows of wall time, across all processes of the portal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.sign_in import RateWindow


@dataclass(frozen=True)
class Rate:
    """So many times in so long a window."""

    what: str
    times: int
    within: timedelta


async def count(session: AsyncSession, rate: Rate, who: str, now: datetime) -> timedelta | None:
    """Count one more; None while it is within the rate, else how long until the window ends.

    Commit whatever the answer is. `who` is an address or a client; only its digest is kept.
    """
    ends_at = _end_of_window(rate.within, now)
    row = insert(RateWindow).values(
        what=rate.what, who_digest=sha256(who.encode()).digest(), ends_at=ends_at, times=1
    )
    counted = row.on_conflict_do_update(
        index_elements=[RateWindow.what, RateWindow.who_digest, RateWindow.ends_at],
        set_={"times": RateWindow.times + 1},
    ).returning(RateWindow.times)
    times = (await session.scalars(counted)).one()
    if times == 1:  # a new window: a good moment to forget those that are over
        await session.execute(
            delete(RateWindow).where(RateWindow.ends_at < now).execution_options(synchronize_session=False)
        )
    return None if times <= rate.times else ends_at - now


def _end_of_window(within: timedelta, now: datetime) -> datetime:
    seconds = int(within.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, UTC)
