"""An import that is being started holds up nobody's cancel."""

from __future__ import annotations

from datetime import timedelta
from statistics import median

import pytest
import pytest_asyncio
from sqlalchemy import update

import starter
from benchmarks import book as benchmark_book
from benchmarks.crowd import asked
from benchmarks.ground import Ground, today
from db.identifiers import new_id
from db.models.subscription import Subscription
from domain.messages import intake_workflow_id
from tests.observability import door

MANY = 2_000
"""So many that all of the questions are asked while they are being started."""


@pytest.fixture
def ground(world):
    """The world, as the benchmarks' questions and rows know it."""
    address = world.stack.addresses.temporal_address
    return Ground(world.settings, world.engine, world.sessions, world.client, {}, address)


@pytest_asyncio.fixture(loop_scope="session")
async def being_started(world, ground):
    """Begins a large import; answers how many are started; lets the rest be."""
    intake_id = new_id("imp")

    async def begin():
        await benchmark_book.store(ground, MANY, today() + timedelta(days=200), intake_id=intake_id)
        await starter.start_intake(world.client, intake_id)

    async def so_far():
        return (await world.client.count_workflows("WorkflowType = 'Subscription'")).count

    async def end():
        await world.client.get_workflow_handle(intake_workflow_id(intake_id)).terminate("enough is seen")

    yield begin, so_far, end
    async with world.sessions.begin() as session:
        rest = update(Subscription).where(Subscription.started_at.is_(None))
        await session.execute(rest.values(intake_id=None))


async def test_a_cancel_is_answered_within_twice_its_idle_time_while_an_import_is_started(
    book, ground, being_started
):
    """The medians of one run, the idle ones from before and after it; other load on the machine slows all."""
    begin, so_far, end = being_started
    subscription = await book.subscription()
    await asked(ground, subscription.id, 10)
    before = await asked(ground, subscription.id, 40)

    await begin()
    started_before = await so_far()
    meanwhile = await asked(ground, subscription.id, 60)
    started = await so_far() - started_before
    assert 10 < started < MANY, "it was not being started meanwhile"

    await end()
    await asked(ground, subscription.id, 10)
    after = await asked(ground, subscription.id, 40)
    assert median(meanwhile) < 2 * max(median(before), median(after))


async def test_what_a_customer_waits_for_goes_before_the_renewals_in_the_queue(world, book, lived):
    """As the server has it: the charge of an order that was just placed, and that of a renewal."""
    subscription = await book.subscription()
    await subscription.customer.save_card()
    await door.order(world, subscription)

    assert await priorities(subscription, "charge") == {1}
    assert await priorities(lived.waiting, "charge") == {0}, "the default, which is 3"


async def priorities(subscription, activity):
    """The priorities with which the activity was put into the queue."""
    return {
        event.activity_task_scheduled_event_attributes.priority.priority_key
        async for event in subscription.handle.fetch_history_events()
        if event.activity_task_scheduled_event_attributes.activity_type.name == activity
    }
