"""The daily reconciliation: the worker makes its schedule, the server starts it."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest_asyncio
from temporalio.client import (
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
)

import schedule
from domain.messages import TASK_QUEUE
from domain.reconciliation import RECONCILIATION_SCHEDULE, Reconciled, Stage
from tests.eventually import eventually
from tests.money.book import Book


@pytest_asyncio.fixture(loop_scope="session")
async def kept(book: Book):
    """The schedule as a worker makes it when it starts."""
    await schedule.keep(book.world.client, time(3, 15), "Europe/London")
    handle = book.world.client.get_schedule_handle(RECONCILIATION_SCHEDULE)
    yield handle
    await handle.delete()


async def test_the_server_starts_a_reconciliation_which_compares_everything(book: Book, kept: ScheduleHandle):
    """It is triggered here: the schedule's clock is not one that can be moved."""
    await kept.trigger()

    async def started() -> bool:
        return bool((await kept.describe()).info.recent_actions)

    await eventually(started, "the schedule has fired")
    described = await kept.describe()
    action, execution = described.schedule.action, described.info.recent_actions[0].action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.task_queue) == ("Reconciliation", TASK_QUEUE)
    assert isinstance(execution, ScheduleActionExecutionStartWorkflow)
    run: Any = book.world.client.get_workflow_handle(execution.workflow_id, result_type=Reconciled)
    result = await run.result()
    assert (set(result.checked), result.unchecked) == (set(Stage), ())


async def test_a_worker_that_starts_changes_its_time_and_leaves_it_paused(book: Book, kept: ScheduleHandle):
    """Every worker asks for it at its start; an operator's pause outlives them all."""
    await kept.pause(note="the vendor is moving house")
    before = (await kept.describe()).info.last_updated_at
    await schedule.keep(book.world.client, time(3, 15), "Europe/London")
    assert (await kept.describe()).info.last_updated_at == before, "there was nothing to change"

    await schedule.keep(book.world.client, time(4, 30), "Europe/Paris")

    described = (await kept.describe()).schedule
    [at] = described.spec.calendars
    assert ([hour.start for hour in at.hour], [minute.start for minute in at.minute]) == ([4], [30])
    assert (described.spec.time_zone_name, described.state.paused) == ("Europe/Paris", True)
