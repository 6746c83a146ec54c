"""The release after this one, as the deploy drill has it: a subscription's run begins with one more step."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.messages import Ending, Life
    from workflows.subscription import Subscription

STEP = "look-before-the-term"
MOMENT = timedelta(seconds=0.1)


@workflow.defn(name="Subscription")
class CarefullyChanged(Subscription):
    """The added step is behind `workflow.patched`: runs that began without it go on without it."""

    @workflow.init
    def __init__(self, life: Life) -> None:
        super().__init__(life)

    @workflow.run
    async def run(self, life: Life) -> Ending:
        """The added step, then the term as before."""
        if workflow.patched(STEP):
            await workflow.sleep(MOMENT, summary=STEP)
        return await super().run(life)


@workflow.defn(name="Subscription")
class CarelesslyChanged(Subscription):
    """The same step for everybody: runs that began without it stumble."""

    @workflow.init
    def __init__(self, life: Life) -> None:
        super().__init__(life)

    @workflow.run
    async def run(self, life: Life) -> Ending:
        """The added step, then the term as before."""
        await workflow.sleep(MOMENT, summary=STEP)
        return await super().run(life)
