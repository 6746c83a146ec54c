"""Starting the workflows of an import, chunk by chunk; running a chunk again starts nothing twice (R26)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client

from activities.failures import awaited
from activities.starts import start
from db import intakes
from db.intakes import IntakeNotStored
from db.subscriptions import Held
from domain.messages import Life, State
from domain.milestones import Policy
from domain.tasks import IntakeChunk, IntakeRequest

CHUNK = 1000
MARKED_TOGETHER = 100
AT_ONCE = 20
"""So many starts are under way at a time: enough to keep the server busy, few enough to leave it room for others."""


@dataclass(frozen=True)
class IntakeActivities:
    """Starts what an import has stored."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    policy: Policy

    @activity.defn
    async def start_chunk(self, request: IntakeRequest) -> IntakeChunk:
        """Start the next workflows of the import. Raises IntakeNotStored until the import's rows are committed."""
        with awaited(IntakeNotStored):
            async with self.sessions() as session:
                waiting = await intakes.not_started(session, request.intake_id, CHUNK)
        started: list[str] = []
        lives = iter([life_of(held, self.policy) for held in waiting])

        async def start_one_after_the_other() -> None:
            for life in lives:
                await start(self.client, life)
                started.append(life.subscription_id)
                activity.heartbeat()
                if len(started) >= MARKED_TOGETHER:
                    together = started.copy()
                    started.clear()
                    await self._mark(request, together)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(start_one_after_the_other())
        return IntakeChunk(started=len(waiting), left=await self._mark(request, started))

    async def _mark(self, request: IntakeRequest, subscription_ids: list[str]) -> int:
        """Note that these run; answers how many of the import are left."""
        async with self.sessions.begin() as session:
            return await intakes.mark_started(session, request.intake_id, subscription_ids)

    @activity.defn
    async def finish(self, request: IntakeRequest) -> None:
        """Write down that all workflows of the import run."""
        async with self.sessions.begin() as session:
            await intakes.finish(session, request.intake_id)


def life_of(held: Held, policy: Policy) -> Life:
    """The life with which a stored subscription starts."""
    row = held.subscription
    return Life(
        subscription_id=row.id,
        customer_id=held.customer.id,
        product=held.title,
        term=held.term,
        months=row.months,
        anchor_day=row.anchor_day,
        plan=policy.milestones(held.term, row.renews_on),
        state=State(row.state),
        auto_renew=row.auto_renew,
        ends_after_next=row.ends_after_next,
    )
