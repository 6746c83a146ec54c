"""What one quiet term leaves in Temporal: events, bytes, and what Temporal Cloud would bill as actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from activities import starts
from benchmarks import bare, book
from benchmarks.bare import Term
from benchmarks.figure import Figure
from benchmarks.ground import Ground, today
from db import subscriptions
from db.life import life_of
from db.models.subscription import Subscription
from domain.messages import subscription_workflow_id
from sandbox.virtual_time import VirtualTime

STARTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
ALWAYS_BILLED = (
    STARTED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
)
LOCAL_ACTIVITY = EventType.EVENT_TYPE_MARKER_RECORDED
ATTEMPT = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
WORKFLOW_TASK = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
OF_MOVED_CLOCKS = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
)
"""Events that only skipped time makes; a term in real time has none of them."""
WARM_UP = timedelta(days=200)


@dataclass(frozen=True)
class Trace:
    """What one run left."""

    events: int
    bytes: int
    actions: int
    round_trips: int
    """Tasks that a worker took from the server for the renewal: workflow tasks and activities from its date on."""


async def measure(ground: Ground) -> list[Figure]:
    """One renewed term with three reminders and nothing else, the second run: it came by continue-as-new."""
    clocks = VirtualTime(ground.client)
    async with ground.our_worker(), ground.bare_worker():
        ours = await _our_term(ground, clocks)
        floor = await _bare_term(ground, clocks)
    same = "the same waits and activities, doing nothing"
    return [
        Figure(
            "a quiet term",
            "events in the history",
            "events",
            ours.events,
            floor.events,
            same,
            at_most=40,
            label="events",
        ),
        Figure(
            "a quiet term",
            "billable actions",
            "actions",
            ours.actions,
            floor.actions,
            same,
            at_most=15,
            label="actions",
        ),
        Figure(
            "a quiet term",
            "worker round trips for its renewal",
            "trips",
            ours.round_trips,
            floor.round_trips,
            same,
            at_most=4,
            label="round trips",
        ),
        Figure("a quiet term", "bytes of history", "bytes", ours.bytes, floor.bytes, same, label="bytes"),
    ]


async def _our_term(ground: Ground, clocks: VirtualTime) -> Trace:
    expires_on = today() + WARM_UP
    intake_id = await book.store(ground, 1, expires_on, opening_credit_minor=10_000_000)
    async with ground.sessions() as session:
        found = select(Subscription.id).where(Subscription.intake_id == intake_id)
        held = await subscriptions.held(session, (await session.scalars(found)).one())
    await starts.start(ground.client, life_of(held, ground.settings.policy()))
    workflow_id = subscription_workflow_id(held.subscription.id)
    for years in (0, 1):
        renewed_by = expires_on.replace(year=expires_on.year + years) - timedelta(days=13)
        await clocks.advance(workflow_id, datetime.combine(renewed_by, time(12), UTC))
    return await _second_run(ground.client, workflow_id)


async def _bare_term(ground: Ground, clocks: VirtualTime) -> Trace:
    """The first run is like every other: it waits for three reminders and the renewal date."""
    now = datetime.now(UTC)
    instants = [now + timedelta(days=days) for days in (140, 170, 184, 186)]
    handle = await ground.client.start_workflow(
        Term.run, instants, id="bare-term", task_queue=bare.TASK_QUEUE
    )
    await clocks.advance(handle.id, now + timedelta(days=187))
    run_id = handle.first_execution_run_id
    assert run_id
    return await _trace(ground.client, handle.id, run_id)


async def _second_run(client: Client, workflow_id: str) -> Trace:
    third = await client.get_workflow_handle(workflow_id).describe()
    info = third.raw_description.workflow_execution_info
    first = await _events(client, workflow_id, info.first_run_id)
    second = first[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return await _trace(client, workflow_id, second)


async def _trace(client: Client, workflow_id: str, run_id: str) -> Trace:
    described = await client.get_workflow_handle(workflow_id, run_id=run_id).describe()
    events = await _events(client, workflow_id, run_id)
    assert events[-1].event_type == CONTINUED
    size = described.raw_description.workflow_execution_info.history_size_bytes
    return Trace(len(events), size, actions(events), _round_trips(events))


def _round_trips(events: Sequence[HistoryEvent]) -> int:
    fired = [n for n, event in enumerate(events) if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED]
    taken = sum(event.event_type in (WORKFLOW_TASK, ATTEMPT) for event in events[fired[-1] :])
    return taken + 1  # the first task of the run that comes after it


async def _events(client: Client, workflow_id: str, run_id: str) -> Sequence[HistoryEvent]:
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    return [event for event in history.events if event.event_type not in OF_MOVED_CLOCKS]


def actions(events: Sequence[HistoryEvent]) -> int:
    """What Temporal Cloud bills, by its public list: a start (continue-as-new too), a timer, a search attribute

    update, a signal, an update: one each; an ordinary activity: one per attempt; local activities: one for all of
    the same workflow task.
    """
    billed = sum(event.event_type in ALWAYS_BILLED for event in events)
    billed += sum(
        event.activity_task_started_event_attributes.attempt
        for event in events
        if event.event_type == ATTEMPT
    )
    tasks = {
        event.marker_recorded_event_attributes.workflow_task_completed_event_id
        for event in events
        if event.event_type == LOCAL_ACTIVITY
    }
    return billed + len(tasks)
