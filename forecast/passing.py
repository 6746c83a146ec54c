"""Letting a book's time pass to the horizon: each workflow has a clock of its own, and money ties some of them.

Subscriptions of one customer share credits, so theirs are moved in the order in which money is due: whoever comes first
uses them first. Customers do not touch each other, and go their ways side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError

import starter
from activities import starts
from domain.messages import Life, State, Status, subscription_workflow_id
from sandbox.virtual_time import AT_ONCE, VirtualTime
from starter import NotRunning

A_WHILE = timedelta(hours=1)
"""Past a moment at which money is due: what happens then is done meanwhile, and time waits for what is under way."""

PATIENCE = timedelta(seconds=90)
"""Wall time for one customer; who takes longer waits for something that never comes."""


@dataclass
class Passing:
    """Moves the clocks of many customers' subscriptions to the horizon."""

    client: Client
    until: datetime
    on_customer: Callable[[int], None] = lambda _subscriptions: None
    stuck: list[str] = field(default_factory=list)
    """Subscriptions that did not come to the horizon."""

    def __post_init__(self) -> None:
        self.clocks = VirtualTime(self.client)

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
        if len(lives) > 1:
            await self._in_turn([life.subscription_id for life in lives])
        for life in lives:
            if await self.clocks.advance(subscription_workflow_id(life.subscription_id), self.until):
                await self._forget(life.subscription_id)

    async def _in_turn(self, subscription_ids: Sequence[str]) -> None:
        """Move whoever's money is due next past that moment, until nobody's is before the horizon."""
        due: dict[str, datetime | None] = {one: await self._due_after(one) for one in subscription_ids}
        while True:
            waiting = [(at, one) for one, at in due.items() if at is not None and at < self.until]
            if not waiting:
                return
            at, one = min(waiting)
            alive = await self.clocks.advance(subscription_workflow_id(one), at + A_WHILE)
            due[one] = await self._due_after(one) if alive else None

    async def _due_after(self, subscription_id: str) -> datetime | None:
        """When money moves next for the subscription, as its own workflow plans it; None when it never does."""
        try:
            status = await starter.status(self.client, subscription_id)
        except NotRunning:
            return None
        now = self.clocks.now(subscription_workflow_id(subscription_id))
        return min((at for at in money_moments(status) if at > now), default=None)

    async def _forget(self, subscription_id: str) -> None:
        """Its time is over here: neither server nor worker shall keep it in mind."""
        try:
            handle = self.client.get_workflow_handle(subscription_workflow_id(subscription_id))
            await handle.terminate("the horizon of the forecast")
        except RPCError:  # it ended by itself in this very moment
            return


def money_moments(status: Status) -> tuple[datetime, ...]:
    """When a subscription's plan may take or give back money."""
    plan = status.plan
    if status.state in (State.ACTIVE, State.UPDATING):
        return (plan.renews_at, *plan.attempts, plan.term_ends_at)
    if status.state == State.COLLECTING:
        return (*plan.attempts, plan.term_ends_at)
    return ()
