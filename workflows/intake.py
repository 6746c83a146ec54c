"""An import on its way: starts the workflows of the stored subscriptions, whoever dies meanwhile (R26)."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, RetryState

with workflow.unsafe.imports_passed_through():
    from activities.intake import IntakeActivities
    from domain.tasks import IntakeChunk, IntakeRequest, IntakeResult

STORING = timedelta(hours=1)
"""The workflow is started before the rows are stored, so that a dying command cannot leave rows that nobody starts.
If they have not come by then, that command died before it stored any: there is nothing to do."""

PATIENTLY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))


@workflow.defn(name="Intake")
class Intake:
    """Chunk after chunk until none is left."""

    def __init__(self) -> None:
        self._started = 0

    @workflow.run
    async def run(self, request: IntakeRequest) -> IntakeResult:
        """Answers how many workflows this import started; 0 if its rows were never stored."""
        self._started = request.started
        left: int | None = None
        while left != 0:
            try:
                chunk = await self._chunk(request, stored=left is not None or request.started > 0)
            except ActivityError as failed:
                if failed.retry_state == RetryState.TIMEOUT:
                    break
                raise
            self._started += chunk.started
            left = chunk.left
            workflow.set_current_details(f"{self._started} workflows started, {left} to go")
            if left and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(IntakeRequest(intake_id=request.intake_id, started=self._started))
        else:
            await workflow.execute_activity_method(
                IntakeActivities.finish,
                request,
                start_to_close_timeout=timedelta(seconds=30),
                summary="finish",
            )
        return IntakeResult(intake_id=request.intake_id, started=self._started)

    async def _chunk(self, request: IntakeRequest, stored: bool) -> IntakeChunk:
        return await workflow.execute_activity_method(
            IntakeActivities.start_chunk,
            request,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(seconds=15),  # a worker that was killed is missed that soon
            schedule_to_close_timeout=None if stored else STORING,
            retry_policy=PATIENTLY,
            summary="start the next workflows",
        )

    @workflow.query(description="How many workflows this import has started")
    def started(self) -> int:
        """Workflows started so far."""
        return self._started
