"""Starting the workflows of an import, chunk by chunk; running a chunk again starts nothing twice (R26)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client

from activities.failures import awaited
from activities.starts import start
from db import intakes
from db.intakes import IntakeNotStored
from db.life import life_of
from domain.milestones import Policy
from domain.tasks import IntakeChunk, IntakeRequest

CHUNK = 200
SMALL = 500
"""An import of no more subscriptions is started at full speed: it is over in seconds."""
AT_ONCE = 20
"""So many starts of it are under way at a time."""
REST = 3.0
"""While a large import is started, each of its lanes rests three times as long as its last start took: three quarters
of what server and worker can do is left to others, also when they are slow."""
TURN_SECONDS = 10.0
"""What is started by then is noted, and the next turn goes on: on a slow machine no turn comes near its time-out."""


@dataclass(frozen=True)
class IntakeActivities:
    """Starts what an import has stored."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    policy: Policy
    at_once: int = 1
    """Lanes in which a large import is started."""

    @activity.defn
    async def start_chunk(self, request: IntakeRequest) -> IntakeChunk:
        """Start the next workflows of the import. Raises IntakeNotStored until the import's rows are committed."""
        with awaited(IntakeNotStored):
            async with self.sessions() as session:
                waiting = await intakes.not_started(session, request.intake_id, CHUNK)
                taken = await intakes.taken(session, request.intake_id)
        large = taken > SMALL
        to_start, started, turn_ends = iter(waiting), list[str](), perf_counter() + TURN_SECONDS

        async def start_in_turn() -> None:
            for held in to_start:
                began = perf_counter()
                await start(self.client, life_of(held, self.policy))
                started.append(held.subscription.id)
                activity.heartbeat()
                if perf_counter() > turn_ends:
                    return
                if large:
                    await asyncio.sleep(REST * (perf_counter() - began))

        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once if large else AT_ONCE):
                group.create_task(start_in_turn())
        async with self.sessions.begin() as session:
            left = await intakes.mark_started(session, request.intake_id, started)
        return IntakeChunk(started=len(started), left=left)

    @activity.defn
    async def finish(self, request: IntakeRequest) -> None:
        """Write down that all workflows of the import run."""
        async with self.sessions.begin() as session:
            await intakes.finish(session, request.intake_id)
