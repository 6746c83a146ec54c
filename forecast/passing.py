"""Letting a book's time pass to the horizon: workflows are started, live through it, and are forgotten.

The subscriptions of one customer go in turn (`forecast.turns`). Customers do not touch each other, and go their ways
side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from activities import starts
from domain.messages import Life, subscription_workflow_id
from forecast.turns import Act, Turns
from sandbox.virtual_time import AT_ONCE, VirtualTime

PATIENCE = timedelta(seconds=90)
"""Wall time for one customer; who takes longer waits for something that never comes."""


@dataclass
class Passing:
    """Moves the clocks of many customers' subscriptions to the horizon."""

    client: Client
    until: datetime
    on_customer: Callable[[int], None] = lambda _subscriptions: None
    acts: Mapping[str, Sequence[Act]] = field(default_factory=dict)
    """Customer id → what people do to their subscriptions on the way."""
    stuck: list[str] = field(default_factory=list)
    """Subscriptions that did not come to the horizon."""

    def __post_init__(self) -> None:
        self._turns = Turns(self.client, VirtualTime(self.client))

    async def pass_by(self, customers: Sequence[Sequence[Life]]) -> None:
        """Start the workflows and let their time pass; some customers at a time."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(lives: Sequence[Life]) -> None:
            async with gate:
                try:
                    async with asyncio.timeout(PATIENCE.total_seconds()):
                        await self._customer(lives)
                except TimeoutError:
                    self.stuck += [life.subscription_id for life in lives]
                self.on_customer(len(lives))

        async with asyncio.TaskGroup() as group:
            for lives in customers:
                group.create_task(one(lives))

    async def _customer(self, lives: Sequence[Life]) -> None:
        for life in lives:
            await starts.start(self.client, life)
        ids = [life.subscription_id for life in lives]
        acts = self.acts.get(lives[0].customer_id, ())
        for one in await self._turns.pass_by(ids, self.until, acts):
            await self._forget(one)

    async def _forget(self, subscription_id: str) -> None:
        """Its time is over here: neither server nor worker shall keep it in mind."""
        try:
            handle = self.client.get_workflow_handle(subscription_workflow_id(subscription_id))
            await handle.terminate("the horizon of the forecast")
        except RPCError:  # it ended by itself in this very moment
            return
