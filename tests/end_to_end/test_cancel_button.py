"""The cancel button of Temporal's UI, which is also `temporal workflow cancel`: a `cancel` by whoever pressed it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.decisions import Outcome
from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.dates import DAY, MOMENT, local
from tests.end_to_end.subscribed import Subscribed
from tests.end_to_end.world import OwnWorker, World
from tests.eventually import eventually


async def test_pressed_before_the_cutoff_it_stops_the_renewal(book: Book, typed: CommandLine):
    """R2, R7: under the same rules as the signal, and the workflow lives on until the term ends."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.cancel_until - 3 * MOMENT)

    await _press(typed, subscription, by="jo@desk")

    decision = await subscription.answer()
    assert decision.received_at < subscription.plan.cancel_until
    assert (decision.outcome, decision.by) == (Outcome.ACCEPTED, "jo@desk")
    assert (await subscription.status()).state == State.CANCELLED
    await subscription.at(subscription.plan.term_ends_at + MOMENT)
    assert (await subscription.ending()).state == State.EXPIRED
    assert subscription.renewals() == []


async def test_pressed_just_after_the_cutoff_it_ends_the_next_term(book: Book, typed: CommandLine):
    """R8: this renewal goes ahead."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.cancel_until)

    await _press(typed, subscription, by="jo@desk")

    decision = await subscription.answer()
    assert (decision.outcome, decision.by) == (Outcome.DEFERRED, "jo@desk")
    await _renews_once_and_ends_then(subscription)


async def test_pressed_before_the_cutoff_while_no_worker_was_up_it_is_honoured(book: Book, worker: OwnWorker):
    """R3: what counts is when the server received it."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.cancel_until - MOMENT)
    await worker.stop()
    await subscription.press_cancel()
    await asyncio.sleep(2 * MOMENT.total_seconds())

    await worker.start()

    decision = await subscription.answer()
    assert (decision.outcome, decision.by) == (Outcome.ACCEPTED, "tests")
    assert [decision.received_at] == await subscription.received()
    assert decision.received_at < subscription.plan.cancel_until


@pytest.mark.parametrize("operation", ["order", "lookup"])
async def test_pressed_while_the_license_is_updated_it_disturbs_nothing(
    book: Book, world: World, typed: CommandLine, operation: str
):
    """R8, R25: the call to the vendor is not given up; the wish is kept for the next expiry."""
    subscription = await book.subscription()
    world.vendor.fault("slow", subscription.license_key, on=[operation], seconds=1, times=1)
    await subscription.at(subscription.plan.renews_at)
    await subscription.until(State.UPDATING)

    await _press(typed, subscription, by="jo@desk")

    assert (await subscription.answer()).outcome == Outcome.DEFERRED
    await _renews_once_and_ends_then(subscription)


async def test_pressed_while_the_renewal_is_settled_it_disturbs_nothing(book: Book, world: World):
    """R8, R25: the transaction waits for a lock meanwhile."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.renews_at - MOMENT)
    async with world.locked(f"SELECT FROM subscriptions WHERE id = '{subscription.id}' FOR UPDATE"):
        await eventually(lambda: world.waits_for_a_lock("subscriptions"), "the renewal is being settled")
        await subscription.press_cancel()

    assert (await subscription.answer()).outcome == Outcome.DEFERRED
    await _renews_once_and_ends_then(subscription)


@pytest.mark.parametrize(
    ("day", "clock", "outcome"),
    [(-40, "12:00", Outcome.ACCEPTED), (-14, "08:00", Outcome.DEFERRED)],
    ids=["before the cut-off", "after the cut-off"],
)
async def test_pressed_again_after_a_resume_it_works_again(
    book: Book, day: int, clock: str, outcome: Outcome
):
    """R9: the server tells a run only once, so a pressed button makes way for a fresh run."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on + day * DAY, clock))
    await subscription.press_cancel()
    assert (await subscription.answer(1)).outcome == outcome
    assert (await subscription.resume()).outcome == Outcome.ACCEPTED

    await subscription.press_cancel()

    assert (await subscription.answer(3)).outcome == outcome
    assert (await subscription.row()).subscription.auto_renew == (outcome == Outcome.DEFERRED)
    assert (await subscription.row()).subscription.ends_after_next == (outcome == Outcome.DEFERRED)


async def test_pressed_twice_it_changes_nothing_more(book: Book):
    """R10: whether or not the fresh run has come in between."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    for _ in range(3):
        await subscription.press_cancel()
        await asyncio.sleep(0.1)

    answers = [(await subscription.answer(number)).outcome for number in (1, 2)]

    assert answers == [Outcome.ACCEPTED, Outcome.NO_CHANGE]
    await subscription.at(subscription.plan.term_ends_at + timedelta(minutes=1))
    assert (await subscription.ending()).state == State.EXPIRED


async def _press(typed: CommandLine, subscription: Subscribed, by: str) -> None:
    await typed("workflow", "cancel", "--workflow-id", subscription.workflow_id, "--identity", by)


async def _renews_once_and_ends_then(subscription: Subscribed) -> None:
    await subscription.at(local(subscription.expires_on))
    status = await subscription.status()
    assert (status.state, status.term.expires_on) == (State.CANCELLED, subscription.next_expires_on)
    await subscription.at(local(subscription.next_expires_on + DAY))
    assert (await subscription.ending()).expires_on == subscription.next_expires_on
    assert subscription.renewals() == subscription.one_renewal
