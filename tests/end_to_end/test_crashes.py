"""Workers and databases that stop in the middle: everything is done, and nothing twice (R25)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from temporalio.api.enums.v1 import EventType

from db.models.license_update import LicenseUpdate
from db.models.order import Order
from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, MOMENT, local
from tests.end_to_end.subscribed import Subscribed
from tests.end_to_end.world import OwnWorker, WorkerProgram, World
from tests.eventually import eventually

GIVEN_UP = timedelta(seconds=90)
"""The server waits a minute for a worker that died in a call to the vendor, ten seconds for one that died elsewhere."""


@dataclass
class Kill:
    """One SIGKILL for several stories: it strikes when all have come to their point, and then another worker starts."""

    stories: asyncio.Barrier
    victim: WorkerProgram
    successor: OwnWorker

    async def strikes(self) -> None:
        """Wait at the story's point until the worker has been killed."""
        if await self.stories.wait() == 0:
            self.victim.kill()
            await self.successor.start()
        await self.stories.wait()


async def test_a_killed_worker_leaves_nothing_undone_and_nothing_done_twice(
    book: Book, world: World, worker: OwnWorker, worker_program: WorkerProgram
):
    """R6, R25: one kill for four stories, because each then waits until the server gives the dead worker up."""
    kill = Kill(asyncio.Barrier(4), worker_program, worker)
    async with asyncio.TaskGroup() as stories:
        reminded = await book.subscription()
        await reminded.at(reminded.plan.reminders[-1][1] - MOMENT)
        await worker.stop()
        stories.create_task(_killed_after_a_letter_was_written(world, reminded, kill))
        await worker_program.start()
        for story in (
            _killed_while_the_vendor_works,
            _killed_after_the_vendor_worked,
            _killed_while_we_write_it_down,
        ):
            stories.create_task(story(world, await book.subscription(), kill))


async def _killed_while_the_vendor_works(world: World, subscription: Subscribed, kill: Kill) -> None:
    world.vendor.fault("slow", subscription.license_key, on=["order"], seconds=7, times=1)
    await subscription.at(subscription.plan.renews_at)
    await eventually(lambda: _attempted(subscription), "the vendor is asked")

    await kill.strikes()

    assert subscription.renewals() == []
    await eventually(lambda: _renewed(subscription), "the vendor works on without us")
    await _is_renewed_once(subscription)


async def _killed_after_the_vendor_worked(world: World, subscription: Subscribed, kill: Kill) -> None:
    world.vendor.fault("slow", subscription.license_key, on=["lookup"], seconds=30, times=1)
    await subscription.at(subscription.plan.renews_at)
    await eventually(lambda: _renewed(subscription), "the vendor has done its work")

    await kill.strikes()

    assert (await subscription.row()).subscription.state == State.UPDATING
    await _is_renewed_once(subscription)


async def _killed_while_we_write_it_down(world: World, subscription: Subscribed, kill: Kill) -> None:
    world.vendor.fault("slow", subscription.license_key, on=["lookup"], seconds=1, times=1)
    await subscription.at(subscription.plan.renews_at)
    await eventually(lambda: _renewed(subscription), "the vendor has done its work")
    async with world.locked(f"SELECT FROM subscriptions WHERE id = '{subscription.id}' FOR UPDATE"):
        await eventually(
            lambda: world.waits_for_a_lock("subscriptions"), "the next term is being written down"
        )

        await kill.strikes()

    await _is_renewed_once(subscription)


async def _killed_after_a_letter_was_written(world: World, subscription: Subscribed, kill: Kill) -> None:
    """Reminder and refusal are written in one workflow task, and that task never ends."""
    [last_reminder] = [f"reminder_{days}" for days, _at in subscription.plan.reminders[-1:]]
    async with world.locked("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"):
        await subscription.signal("cansel")
        await eventually(lambda: world.waits_for_a_lock("audit"), "the refusal is being written down")
        await eventually(lambda: _is_told(subscription, last_reminder), "the reminder is written")

        await kill.strikes()

    await eventually(lambda: _is_audited(subscription, "refused_signal"), "the refusal", GIVEN_UP)
    assert (await subscription.notices()).count(last_reminder) == 1


async def test_a_database_that_is_away_for_a_while_delays_a_renewal_and_no_more(book: Book, world: World):
    """R25: the step goes on as an ordinary activity, which operators see; the renewal is done once."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.renews_at - MOMENT)
    world.stack.postgres.kill()
    try:
        await eventually(lambda: _is_pending(subscription, "settle"), "operators see the step that waits")
    finally:
        await world.stack.postgres.start()

    await subscription.at(local(subscription.expires_on - 13 * DAY))

    await _is_renewed_once(subscription)
    [settled, *_] = await subscription.events(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    assert settled.activity_task_scheduled_event_attributes.activity_type.name == "settle"


async def _is_renewed_once(subscription: Subscribed) -> None:
    await eventually(lambda: _is_audited(subscription, "renew"), "the renewal is written down", GIVEN_UP)
    assert subscription.renewals() == subscription.one_renewal
    assert [order.state for order in await subscription.orders()] == ["fulfilled"]
    assert len(await subscription.audit("renew")) == 1
    assert (await subscription.notices()).count("license_updated") == 1
    assert [grant.remaining_minor for grant in await subscription.statement()] == [0]


async def _attempted(subscription: Subscribed) -> bool:
    query = (
        select(LicenseUpdate.attempted_at)
        .join(Order, Order.id == LicenseUpdate.order_id)
        .where(Order.subscription_id == subscription.id)
    )
    async with subscription.world.sessions() as session:
        return await session.scalar(query) is not None


async def _renewed(subscription: Subscribed) -> bool:
    return subscription.renewals() == subscription.one_renewal


async def _is_audited(subscription: Subscribed, action: str) -> bool:
    return len(await subscription.audit(action)) == 1


async def _is_told(subscription: Subscribed, kind: str) -> bool:
    return kind in await subscription.notices()


async def _is_pending(subscription: Subscribed, activity: str) -> bool:
    described = await subscription.handle.describe()
    return activity in [
        pending.activity_type.name for pending in described.raw_description.pending_activities
    ]
