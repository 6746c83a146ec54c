"""How long somebody waits for the answer to a request, beside a workflow that answers without a thought."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter

from sqlalchemy import select

import starter
from activities import starts
from benchmarks import bare, book
from benchmarks.bare import Sleeper
from benchmarks.figure import Figure, interleaved, percentile
from benchmarks.ground import Ground, today
from benchmarks.size import Size
from db import subscriptions
from db.identifiers import new_id
from db.life import life_of
from db.models.subscription import Subscription
from domain.messages import Cancel, Resume

MEASURES = {"p50": 0.5, "p99": 0.99}


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Cancel and resume in turn, one after the other; each is decided, written down and answered."""
    async with ground.our_worker(), ground.bare_worker():
        times: dict[str, list[float]] = {"ours": [], "bare": [], "step": []}
        subscription_id = await asleep(ground)
        sleeper = await ground.client.start_workflow(
            Sleeper.run, id=new_id("answers"), task_queue=bare.TASK_QUEUE
        )

        async def ours(number: int) -> None:
            if number % 2:
                taken = await starter.resume(ground.client, subscription_id, Resume(by="benchmark"))
            else:
                taken = await starter.cancel(ground.client, subscription_id, Cancel(by="benchmark"))
            assert taken.decision

        async def at_once(_number: int) -> None:
            await sleeper.execute_update(Sleeper.answer, "?")

        async def after_a_step(_number: int) -> None:
            await sleeper.execute_update(Sleeper.answer_after_a_step, "?")

        await interleaved(
            size.repeats,
            lambda: _timed(ours, times["ours"], size.updates),
            lambda: _timed(at_once, times["bare"], size.updates),
            lambda: _timed(after_a_step, times["step"], size.updates),
        )
    return [
        Figure(
            "an answer",
            f"a cancel or resume is answered, {name}",
            "ms",
            percentile(times["ours"], share),
            percentile(times[floor], share),
            floor_is,
            label=f"{name}, {floor}",
        )
        for floor, floor_is in (
            ("bare", "an update that answers at once"),
            ("step", "an update with one local activity that does nothing"),
        )
        for name, share in MEASURES.items()
    ]


async def asleep(ground: Ground) -> str:
    """A subscription whose workflow sleeps; its id."""
    intake_id = await book.store(ground, 1, today() + timedelta(days=200))
    async with ground.sessions() as session:
        found = select(Subscription.id).where(Subscription.intake_id == intake_id)
        held = await subscriptions.held(session, (await session.scalars(found)).one())
    await starts.start(ground.client, life_of(held, ground.settings.policy()))
    return held.subscription.id


async def _timed(ask: Callable[[int], Awaitable[None]], times: list[float], number: int) -> float:
    """Ask so often; the milliseconds are added to `times`."""
    for ordinal in range(number):
        began = perf_counter()
        await ask(ordinal)
        times.append((perf_counter() - began) * 1000)
    return 0.0
