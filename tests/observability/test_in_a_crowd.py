"""An import that is being started holds up nobody's cancel."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from statistics import median

import pytest
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


@asynccontextmanager
async def being_started(world, ground):
    """While the block runs a large import is being started, and not over; what is left of it then is let be."""
    intake_id = new_id("imp")
    await benchmark_book.store(ground, MANY, today() + timedelta(days=200), intake_id=intake_id)
    await starter.start_intake(world.client, intake_id)

    async def so_far():
        return (await world.client.count_workflows("WorkflowType = 'Subscription'")).count

    began = await so_far()
    yield
    assert 10 < await so_far() - began < MANY, "it was not being started meanwhile"
    await world.client.get_workflow_handle(intake_workflow_id(intake_id)).terminate("enough is seen")
    async with world.sessions.begin() as session:
        rest = update(Subscription).where(Subscription.started_at.is_(None))
        await session.execute(rest.values(intake_id=None))


async def slowed_down(world, ground, subscription_id):
    """By how much, in the medians of one run; idle is the slower of before and after."""
    before = await asked(ground, subscription_id, 40)
    async with being_started(world, ground):
        meanwhile = await asked(ground, subscription_id, 60)
    await asked(ground, subscription_id, 10)
    after = await asked(ground, subscription_id, 40)
    return median(meanwhile) / max(median(before), median(after))


async def test_a_cancel_is_answered_within_twice_its_idle_time_while_an_import_is_started(
    world, book, ground
):
    """Another program that gets busy in the middle of a run slows that run; it does not do so in each of three."""
    subscription = await book.subscription()
    await asked(ground, subscription.id, 10)
    runs = []
    while not runs or (min(runs) >= 2 and len(runs) < 3):
        runs.append(await slowed_down(world, ground, subscription.id))

    assert min(runs) < 2, runs


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
