"""Reading a large book: what staff and customers look at, beside the same look at a book of a thousand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from statistics import median
from time import perf_counter

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.figure import Figure
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from benchmarks.storing import copied_rows, copy
from db import subscriptions
from db.models.customer import Customer
from db.models.subscription import Subscription

FEW = 1_000
LOOKS = 30
Look = Callable[[AsyncSession], Awaitable[object]]


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Each look in a book of a thousand subscriptions, then in a large one."""
    few = await _looked(ground, FEW)
    many = await _looked(ground, size.read - FEW)
    return [
        Figure(
            "reading",
            f"{what}, among {size.read:,} subscriptions",
            "ms",
            many[what],
            few[what],
            f"the same among {FEW:,}",
            label=what,
        )
        for what in many
    ]


async def _looked(ground: Ground, added: int) -> dict[str, float]:
    """The median of each look, in milliseconds, after so many subscriptions were added."""
    await copy(ground, copied_rows(added))
    async with ground.engine.begin() as connection:
        await connection.execute(text("ANALYZE"))
    async with ground.sessions() as session:
        query = select(Subscription.id, Customer.email).join(
            Customer, Customer.id == Subscription.customer_id
        )
        found = (await session.execute(query.order_by(Subscription.id.desc()).limit(LOOKS))).all()
    looks: dict[str, Callable[[str, str], Look]] = {
        "by id": lambda id, _: lambda session: subscriptions.find(session, id),
        "by last four": lambda id, _: lambda session: _by_last_four(session, id[-4:]),
        "one customer": lambda _, email: lambda session: subscriptions.listing(session, customer=email),
        "next 100 due": lambda *_: (
            lambda session: subscriptions.listing(
                session, renews_before=today() + timedelta(days=400), limit=100
            )
        ),
    }
    return {what: await _median(ground, [look(*row) for row in found]) for what, look in looks.items()}


async def _by_last_four(session: AsyncSession, last_four: str) -> None:
    with suppress(subscriptions.UnknownSubscription, subscriptions.AmbiguousSubscription):
        await subscriptions.find(session, last_four)


async def _median(ground: Ground, looks: list[Look]) -> float:
    times = []
    for look in looks:
        async with ground.sessions() as session:
            began = perf_counter()
            await look(session)
            times.append((perf_counter() - began) * 1000)
    return median(times)
