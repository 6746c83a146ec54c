"""Renewals that fall due all at once, from a warm and from a cold worker, beside workflows that do nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

from sqlalchemy import func, select
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import Worker

from activities import starts
from activities.intake import AT_ONCE, life_of
from benchmarks import bare, book
from benchmarks.bare import Term
from benchmarks.figure import Figure, Way, interleaved
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from db.identifiers import new_id
from db.models.order import Order
from db.models.subscription import Subscription
from db.subscriptions import Held, held_query
from domain.messages import Life

Start = Callable[[], Awaitable[None]]
Done = Callable[[], Awaitable[bool]]

CREDIT_MINOR = 1_000_000
SLOWEST_STARTS_A_SECOND = 30
MARGIN = 1.6


class NotAsleepInTime(Exception):
    """Some were due before all were started: the measurement says nothing."""


@dataclass
class Pace:
    """How fast this machine starts workflows, as seen so far: renewals fall due when all are started and asleep."""

    starts_a_second: float = SLOWEST_STARTS_A_SECOND

    def due_at(self, number: int) -> datetime:
        """When so many that are started from now on are asleep."""
        return datetime.now(UTC) + timedelta(seconds=1 + MARGIN * number / self.starts_a_second)

    def asleep_in_time(self, number: int, seconds: float, due_at: datetime) -> bool:
        """Learn from a start, and tell whether it was fast enough."""
        self.starts_a_second = number / seconds
        return datetime.now(UTC) + timedelta(seconds=0.5) < due_at


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Renewals a second, warm and cold."""
    ours, floor = Pace(), Pace()
    warm, bare_warm, cold, bare_cold = await interleaved(
        size.repeats,
        lambda: _again(lambda: _ours(ground, size.due, ours, cold=False)),
        lambda: _again(lambda: _bare(ground, size.due, floor, cold=False)),
        lambda: _again(lambda: _ours(ground, size.due, ours, cold=True)),
        lambda: _again(lambda: _bare(ground, size.due, floor, cold=True)),
    )
    same = "timer, local, ordinary, local, continue as new; doing nothing"
    return [
        Figure("due at once", f"renewals of {size.due:,}, worker warm", "renewals/s", warm, bare_warm, same),
        Figure("due at once", f"renewals of {size.due:,}, worker cold", "renewals/s", cold, bare_cold, same),
    ]


async def _again(way: Way) -> float:
    """A measurement that came to nothing is made again, three times at most."""
    for _ in range(2):
        with suppress(NotAsleepInTime):
            return await way()
    return await way()


async def _ours(ground: Ground, number: int, pace: Pace, cold: bool) -> float:
    intake_id = await book.store(ground, number, today() + timedelta(days=14), CREDIT_MINOR)
    async with ground.sessions() as session:
        query = held_query().where(Subscription.intake_id == intake_id)
        held = [Held(*row) for row in (await session.execute(query)).all()]
    due_at = pace.due_at(number)
    lives = [_due(life_of(one, ground.settings.policy()), due_at) for one in held]

    async def start(life: Life) -> None:
        await starts.start(ground.client, life)

    async def done() -> bool:
        query = (
            select(func.count())
            .select_from(Order)
            .join(Subscription, Subscription.id == Order.subscription_id)
            .where(Subscription.intake_id == intake_id, Order.state == "fulfilled")
        )
        async with ground.sessions() as session:
            return await session.scalar(query) == number

    starting = [lambda life=life: start(life) for life in lives]
    return await _timed(ground.our_worker, starting, pace, due_at, done, cold)


async def _bare(ground: Ground, number: int, pace: Pace, cold: bool) -> float:
    name, due_at = new_id("term"), pace.due_at(number)

    async def start(ordinal: int) -> None:
        await ground.client.start_workflow(
            Term.run, [due_at], id=f"{name}/{ordinal:06d}", task_queue=bare.TASK_QUEUE
        )

    waiting = [f"{name}/{ordinal:06d}" for ordinal in range(number)]

    async def done() -> bool:
        """Whether each has gone on into its second run."""
        while waiting:
            found = await ground.client.get_workflow_handle(waiting[-1]).describe()
            info = found.raw_description.workflow_execution_info
            if info.first_run_id == info.execution.run_id and found.status == WorkflowExecutionStatus.RUNNING:
                return False
            waiting.pop()
        return True

    starting = [lambda ordinal=ordinal: start(ordinal) for ordinal in range(number)]
    return await _timed(ground.bare_worker, starting, pace, due_at, done, cold)


async def _timed(
    worker: Callable[[], Worker],
    starting: Sequence[Start],
    pace: Pace,
    due_at: datetime,
    done: Done,
    cold: bool,
) -> float:
    """Start all, let them fall asleep, and time them from when they are due, or from when a new worker comes."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(start: Start) -> None:
        async with gate:
            await start()

    async def until_due() -> None:
        await asyncio.sleep(max(0.0, (due_at - datetime.now(UTC)).total_seconds()))

    async with worker():
        began = perf_counter()
        await asyncio.gather(*(one(start) for start in starting))
        if not pace.asleep_in_time(len(starting), perf_counter() - began, due_at):
            await _rate(len(starting), done)  # they shall not disturb the next measurement
            raise NotAsleepInTime
        if not cold:
            await until_due()
            return await _rate(len(starting), done)
        await asyncio.sleep(0.5)  # the last ones fall asleep
    await until_due()
    await asyncio.sleep(1.0)  # all timers have fired and wait for a worker
    async with worker():
        return await _rate(len(starting), done)


async def _rate(number: int, done: Done) -> float:
    began = perf_counter()
    while not await done():  # noqa: ASYNC110  # it is asked of a server, not of an event of this loop
        await asyncio.sleep(0.02)
    return number / (perf_counter() - began)


def _due(life: Life, due_at: datetime) -> Life:
    """The same life, its renewal due at that instant and all reminders sent."""
    plan = replace(life.plan, renews_at=due_at)
    return life.model_copy(update={"plan": plan, "reminders_sent": len(plan.reminders)})
