"""One reconciliation: payments, workflows, licenses and books are compared, batch by batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, TimeoutError

with workflow.unsafe.imports_passed_through():
    from activities.license_reconciliation import LicenseReconciliationActivities
    from activities.payment_reconciliation import PaymentReconciliationActivities
    from activities.reconciliation import ReconciliationActivities
    from domain.reconciliation import Batch, BatchDone, Conclusion, Reconciled, ReconcileRequest, Stage
    from workflows.steps import FOR_EVER

PATIENCE = timedelta(minutes=10)
"""A stage whose server does not answer for so long is left out of this reconciliation, which says so."""

STEPS: dict[Stage, Callable[[Any, Batch], Awaitable[BatchDone]]] = {
    Stage.UNSETTLED: PaymentReconciliationActivities.look_up_unsettled,
    Stage.PAYMENTS: PaymentReconciliationActivities.compare_payments,
    Stage.MISSING: ReconciliationActivities.start_missing,
    Stage.STRAYS: ReconciliationActivities.find_strays,
    Stage.LICENSES: LicenseReconciliationActivities.compare_licenses,
    Stage.ROWS: ReconciliationActivities.look_at_rows,
}


@workflow.defn(name="Reconciliation")
class Reconciliation:
    """Stage after stage; what it finds is written down as it is found, so a long one only carries its cursor."""

    @workflow.run
    async def run(self, request: ReconcileRequest) -> Reconciled:
        """Answers how many were compared and healed, and how many differences need a person."""
        began_at = request.began_at or workflow.now()
        checked, unchecked = dict(request.checked), request.unchecked
        stages = list(Stage)
        for stage in stages[stages.index(request.stage) :]:
            after: str | None = request.after if stage == request.stage else ""
            while after is not None:
                if workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(
                        ReconcileRequest(
                            began_at=began_at,
                            stage=stage,
                            after=after,
                            checked=checked,
                            unchecked=unchecked,
                        )
                    )
                try:
                    done = await self._batch(stage, Batch(began_at=began_at, after=after))
                except ActivityError as failed:
                    if not isinstance(failed.cause, TimeoutError):
                        raise
                    unchecked = (*unchecked, stage)
                    break
                checked[stage] = checked.get(stage, 0) + done.checked
                after = done.after
        return await self._conclude(began_at, checked, unchecked)

    async def _batch(self, stage: Stage, batch: Batch) -> BatchDone:
        workflow.set_current_details(f"comparing: {stage} after {batch.after or 'the beginning'}")
        return await workflow.execute_activity_method(
            STEPS[stage],
            batch,
            start_to_close_timeout=PATIENCE,
            schedule_to_close_timeout=PATIENCE,
            heartbeat_timeout=timedelta(minutes=2),
            retry_policy=FOR_EVER,
            summary=f"compare: {stage}",
        )

    async def _conclude(
        self, began_at: datetime, checked: dict[Stage, int], unchecked: tuple[Stage, ...]
    ) -> Reconciled:
        result = await workflow.execute_activity_method(
            ReconciliationActivities.conclude,
            Conclusion(began_at=began_at, unchecked=unchecked),
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=FOR_EVER,
            summary="close what is gone, tell staff of what is new",
        )
        return result.model_copy(update={"checked": checked})
