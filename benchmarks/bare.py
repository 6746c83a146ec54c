"""The floors in Temporal: workflows and activities of the same number and kind as ours that do nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import activity, workflow

TASK_QUEUE = "bare"
LONG = timedelta(days=365)
LIMIT = timedelta(seconds=10)


@activity.defn
async def nothing() -> None:
    """Do nothing."""


@workflow.defn
class Sleeper:
    """Starts and sleeps; answers an update at once."""

    @workflow.run
    async def run(self) -> None:
        """Sleep."""
        await asyncio.sleep(LONG.total_seconds())

    @workflow.update
    async def answer(self, question: str) -> str:
        """Answer."""
        return question

    @workflow.update
    async def answer_after_a_step(self, question: str) -> str:
        """Answer after one local activity."""
        await workflow.execute_local_activity(nothing, start_to_close_timeout=LIMIT)
        return question


@workflow.defn
class Term:
    """Waits for each instant in turn, the last being the renewal date; renews and goes on into a new run."""

    @workflow.run
    async def run(self, instants: list[datetime]) -> None:
        """A local activity after each wait; then an ordinary and a local one, then a run that sleeps."""
        for instant in instants:
            remaining = instant - workflow.now()
            if remaining > timedelta(0):
                await asyncio.sleep(remaining.total_seconds())
            await workflow.execute_local_activity(nothing, start_to_close_timeout=LIMIT)
        await workflow.execute_activity(nothing, start_to_close_timeout=LIMIT)
        await workflow.execute_local_activity(nothing, start_to_close_timeout=LIMIT)
        workflow.continue_as_new([workflow.now() + LONG])


WORKFLOWS = [Sleeper, Term]
ACTIVITIES = [nothing]
