"""Renewals that fall due all at once, from a warm and from a cold worker, beside workflows that do nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter

from sqlalchemy import func, select
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import Worker

from activities import starts
from activities.intake import AT_ONCE
from benchmarks import bare, book
from benchmarks.bare import SameSteps, Term
from benchmarks.figure import Figure, Way, interleaved
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from db.identifiers import new_id
from db.life import life_of
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
    pace, steps, floor = Pace(), Pace(), Pace()
    figures = []
    for words, cold, goal in (("warm", False, 0.8), ("cold", True, 0.6)):
        rate, same, nothing = await interleaved(
            size.repeats,
            partial(again, partial(ours, ground, size.due, pace, cold)),
            partial(again, partial(ours, ground, size.due, steps, cold, same_steps=True)),
            partial(again, partial(_bare, ground, size.due, floor, cold)),
        )
        figures += [
            Figure(
                "due at once",
                f"renewals of {size.due:,}, worker {words}",
                "renewals/s",
                rate,
                other,
                floor_is,
                at_least=goal,
                label=f"{words}, {label}",
            )
            for other, floor_is, label in (
                (same, "a bare workflow that calls the very same activities", "same activities"),
                (nothing, "timer, local, ordinary, local, continue as new; doing nothing", "doing nothing"),
            )
        ]
    return figures


async def again(way: Way) -> float:
    """A measurement that came to nothing is made again, three times at most."""
    for _ in range(2):
        with suppress(NotAsleepInTime):
            return await way()
    return await way()


async def ours(ground: Ground, number: int, pace: Pace, cold: bool, same_steps: bool = False) -> float:
    """Renewals a second of our workflow; or of one that only calls the `same_steps`."""
    intake_id = await book.store(ground, number, today() + timedelta(days=14), CREDIT_MINOR)
    async with ground.sessions() as session:
        query = held_query().where(Subscription.intake_id == intake_id)
        held = [Held(*row) for row in (await session.execute(query)).all()]
    due_at = pace.due_at(number)
    lives = [_due(life_of(one, ground.settings.policy()), due_at) for one in held]

    async def start(life: Life) -> None:
        if not same_steps:
            await starts.start(ground.client, life)
            return
        await ground.client.start_workflow(
            SameSteps.run,
            args=[life, due_at],
            id=f"same/{life.subscription_id}",
            task_queue=bare.TASK_QUEUE,
        )

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
    worker = ground.bare_worker if same_steps else ground.our_worker
    return await _timed(worker, starting, pace, due_at, done, cold)


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
