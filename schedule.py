"""The Temporal Schedule that has everything reconciled once a day; made and kept up to date by the worker."""

from __future__ import annotations

from datetime import time, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from domain.messages import TASK_QUEUE
from domain.reconciliation import RECONCILIATION_SCHEDULE, ReconcileRequest


async def keep(client: Client, at: time, zone: str) -> None:
    """Have a `Reconciliation` run daily at that local time; one that still runs is not overtaken.

    A schedule that an operator has paused stays paused. Raises RPCError.
    """
    wanted = Schedule(
        action=ScheduleActionStartWorkflow(
            "Reconciliation",
            ReconcileRequest(),
            id=RECONCILIATION_SCHEDULE,
            task_queue=TASK_QUEUE,
            static_summary="the daily reconciliation",
        ),
        spec=ScheduleSpec(calendars=[_daily(at)], time_zone_name=zone),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=12)),
    )
    try:
        await client.create_schedule(RECONCILIATION_SCHEDULE, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(RECONCILIATION_SCHEDULE).update(
            lambda known: _updated(known, wanted)
        )


def _daily(at: time) -> ScheduleCalendarSpec:
    """As the server tells it again: a cron expression it would turn into this."""
    return ScheduleCalendarSpec(hour=(ScheduleRange(at.hour),), minute=(ScheduleRange(at.minute),))


def _updated(known: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate | None:
    """Nothing when it stands as it should: every worker that starts asks."""
    there = known.description.schedule
    if (list(there.spec.calendars), there.spec.time_zone_name) == (
        wanted.spec.calendars,
        wanted.spec.time_zone_name,
    ):
        return None
    wanted.state = there.state
    return ScheduleUpdate(schedule=wanted)
