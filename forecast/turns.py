"""Letting the time of one customer's subscriptions pass in turn: they share credits, and whoever comes first uses them.

Each has a clock of its own, so theirs are moved in the order in which money is due. What people do on the way is done
when every clock shows that instant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from temporalio.client import Client

import starter
from domain.messages import State, Status, subscription_workflow_id
from sandbox.virtual_time import VirtualTime
from starter import NotRunning

A_WHILE = timedelta(hours=1)
"""Past a moment at which money is due: what happens then is done meanwhile, and time waits for what is under way."""


@dataclass(frozen=True)
class Act:
    """Something that is done to a customer's subscriptions at an instant."""

    at: datetime
    play: Callable[[], Awaitable[None]]


@dataclass
class Turns:
    """Moves the clocks of the subscriptions of one customer after another, or of many side by side."""

    client: Client
    clocks: VirtualTime
    _due: dict[str, datetime | None] = field(default_factory=dict)

    async def pass_by(
        self, subscription_ids: Sequence[str], until: datetime, acts: Iterable[Act] = ()
    ) -> list[str]:
        """Let the time of one customer's subscriptions pass to the instant; the ids of those that go on."""
        alive = list(subscription_ids)
        for act in sorted(acts, key=lambda one: one.at):
            alive = await self._pass(alive, act.at)
            await act.play()
            for one in alive:
                self._due.pop(one, None)  # it may have changed what is due
        return await self._pass(alive, until)

    async def _pass(self, alive: list[str], until: datetime) -> list[str]:
        if len(alive) > 1:
            alive = await self._in_turn(alive, until)
        return [one for one in alive if await self.clocks.advance(subscription_workflow_id(one), until)]

    async def _in_turn(self, subscription_ids: list[str], until: datetime) -> list[str]:
        """Move whoever's money is due next past that moment, until nobody's is before the instant."""
        alive = list(subscription_ids)
        while True:
            due = {one: await self._due_next(one) for one in alive}
            waiting = [(at, one) for one, at in due.items() if at is not None and at < until]
            if not waiting:
                return alive
            at, one = min(waiting)
            if not await self.clocks.advance(subscription_workflow_id(one), min(at + A_WHILE, until)):
                alive.remove(one)

    async def _due_next(self, subscription_id: str) -> datetime | None:
        """When money moves next for the subscription, as its own workflow plans it; None when it never does."""
        now = self.clocks.now(subscription_workflow_id(subscription_id))
        known = self._due.get(subscription_id)
        if subscription_id not in self._due or (known is not None and known <= now):
            self._due[subscription_id] = await self._due_after(subscription_id, now)
        return self._due[subscription_id]

    async def _due_after(self, subscription_id: str, now: datetime) -> datetime | None:
        try:
            status = await starter.status(self.client, subscription_id)
        except NotRunning:
            return None
        return min((at for at in money_moments(status) if at > now), default=None)


def money_moments(status: Status) -> tuple[datetime, ...]:
    """When a subscription's plan may take or give back money."""
    plan = status.plan
    if status.state in (State.ACTIVE, State.UPDATING):
        return (plan.renews_at, *plan.attempts, plan.term_ends_at)
    if status.state == State.COLLECTING:
        return (*plan.attempts, plan.term_ends_at)
    return ()
