"""A sender's turns: take what is due, so many at once, and look again; until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Claimed = TypeVar("Claimed")


async def take_turns(
    stop: asyncio.Event,
    claim: Callable[[int], Awaitable[Sequence[Claimed]]],
    deliver: Callable[[Claimed], Awaitable[None]],
    at_once: int,
    interval_seconds: float,
) -> None:
    """Claim and deliver until told to stop, then let what is under way finish; neither may raise."""
    under_way: set[asyncio.Task[None]] = set()
    stopping = asyncio.create_task(stop.wait())

    async def one(claimed: Claimed) -> None:
        await deliver(claimed)

    try:
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                free = at_once - len(under_way)
                taken = await claim(free)
                for claimed in taken:
                    task = group.create_task(one(claimed))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                more_may_be_due = len(taken) == free
                await asyncio.wait(
                    {stopping, *(under_way if more_may_be_due else ())},
                    timeout=None if more_may_be_due else interval_seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
    finally:
        stopping.cancel()
