"""The floors in Temporal: workflows and activities of the same number and kind as ours that do nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from domain import term
    from domain.messages import Life
    from domain.milestones import Milestones
    from domain.tasks import LicenseChange, Proof, Settlement, SettleRequest, TermRecord

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
    async def run(self, _ignored: object = None) -> None:
        """Sleep, whatever it is given."""
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


@workflow.defn
class SameSteps:
    """The very steps of a renewal and nothing else: no state, no promise watched, nothing shown to operators."""

    @workflow.run
    async def run(self, life: Life | None, instant: datetime) -> None:
        """Settle, update, begin the next term; then a run that sleeps."""
        await asyncio.sleep(max(0.0, (instant - workflow.now()).total_seconds()))
        if life is None:
            return
        bought = term.next_term(life.term, life.months, life.anchor_day)
        settled = await workflow.execute_local_activity(
            "settle",
            SettleRequest(
                subscription_id=life.subscription_id,
                term=life.term,
                next_term=bought,
                round=1,
                renews_on=life.plan.renews_on,
                at=workflow.now(),
            ),
            result_type=Settlement,
            start_to_close_timeout=LIMIT,
        )
        assert settled.order_id is not None
        proof = await workflow.execute_activity(
            "update",
            LicenseChange(order_id=settled.order_id, at=workflow.now()),
            result_type=Proof,
            start_to_close_timeout=LIMIT,
        )
        await workflow.execute_local_activity(
            "begin_term",
            TermRecord(
                subscription_id=life.subscription_id,
                order_id=settled.order_id,
                proof=proof,
                next_term=bought,
                auto_renew=True,
                at=workflow.now(),
            ),
            result_type=Milestones,
            start_to_close_timeout=LIMIT,
        )
        workflow.continue_as_new(args=[None, workflow.now() + LONG])


WORKFLOWS = [Sleeper, Term, SameSteps]
ACTIVITIES = [nothing]
SAME_STEPS = ("settle", "update", "begin_term")
