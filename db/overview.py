"""What staff see first: renewals to come by week, and why subscriptions do not go on; one statement each."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Date, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from db.figures import TROUBLED
from db.models.request import LicenseRequest
from db.models.subscription import Subscription

WEEK = timedelta(days=7)


async def renewals_by_week(session: AsyncSession, monday: date, weeks: int) -> list[int]:
    """How many renewals fall due in each of so many weeks from this Monday on, none left out."""
    day = type_coerce(Subscription.next_renews_on, Date)  # never NULL here
    query = (
        select(day, func.count())
        .where(
            Subscription.next_renews_on >= monday,
            Subscription.next_renews_on < monday + weeks * WEEK,
            Subscription.state == "active",
        )
        .group_by(Subscription.next_renews_on)
    )
    counts = [0] * weeks
    for due_on, number in (await session.execute(query)).all():
        counts[(due_on - monday) // WEEK] += number
    return counts


async def failures_by_reason(session: AsyncSession) -> dict[str, int]:
    """How many subscriptions wait or have stopped for each reason of ours, the most frequent first (R22, R23)."""
    code = func.split_part(Subscription.failure_reason, ":", 1).label("code")
    query = (
        select(code, func.count())
        .where(Subscription.state.in_(TROUBLED), Subscription.failure_reason.is_not(None))
        .group_by(code)
        .order_by(func.count().desc(), code)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def open_requests(session: AsyncSession) -> int:
    """Requests that wait for a decision (R27)."""
    query = select(func.count()).where(LicenseRequest.state == "open")
    return await session.scalar(query) or 0
