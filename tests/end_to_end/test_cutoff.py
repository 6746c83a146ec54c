"""A cancellation around local midnight of the cancel-by date, in winter and in summer time (R2, R3, R7, R8)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import time, timedelta

import pytest

from domain.decisions import Outcome
from domain.messages import Decision, State
from domain.milestones import Policy
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, MOMENT, ZONE, coming, local
from tests.end_to_end.subscribed import RENEWAL_MINOR, Subscribed
from tests.end_to_end.world import OwnWorker


async def by_signal(subscription: Subscribed) -> Decision:
    """As support types it into Temporal's UI."""
    await subscription.signal("cancel", {"by": "support:jo", "reason": "moved away"})
    return await subscription.answer()


async def by_nameless_signal(subscription: Subscribed) -> Decision:
    """Without saying who: then the server is asked for the sender."""
    await subscription.signal("cancel")
    return await subscription.answer()


async def by_update(subscription: Subscribed) -> Decision:
    """As portal and command line ask."""
    return await subscription.cancel()


Way = Callable[[Subscribed], Awaitable[Decision]]
each_way = pytest.mark.parametrize("ask", [by_signal, by_nameless_signal, by_update])
each_season = pytest.mark.parametrize(
    ("month", "day", "utc_offset"),
    [(1, 31, timedelta(0)), (8, 31, timedelta(hours=1))],
    ids=["winter", "summer"],
)


@each_season
@each_way
async def test_a_cancel_just_before_midnight_of_the_cancel_by_date_is_in_time(
    book: Book, ask: Way, month: int, day: int, utc_offset: timedelta
):
    """R2, R7: the renewal never happens; the license runs to its expiry, then the subscription ends."""
    subscription = await book.subscription(expires_on=coming(month, day))
    cut_off = subscription.plan.cancel_until
    assert cut_off.astimezone(ZONE).utcoffset() == utc_offset

    await subscription.at(cut_off - MOMENT)
    decision = await ask(subscription)

    assert cut_off - 2 * MOMENT < decision.received_at < cut_off
    assert (decision.outcome, decision.effective_on) == (Outcome.ACCEPTED, subscription.expires_on)
    assert decision.cancel_by == subscription.expires_on - 15 * DAY
    await subscription.at(local(subscription.expires_on, "23:59"))
    assert (await subscription.status()).state == State.CANCELLED
    await subscription.at(subscription.plan.term_ends_at + MOMENT)
    assert (await subscription.ending()).state == State.EXPIRED
    assert (await subscription.row()).subscription.state == State.EXPIRED
    assert subscription.renewals() == []
    assert await subscription.orders() == []


@each_season
@each_way
async def test_a_cancel_just_after_midnight_is_late_and_ends_the_next_term(
    book: Book, ask: Way, month: int, day: int, utc_offset: timedelta
):
    """R2, R8: this renewal goes ahead, the wish is kept, and the subscription ends at the next expiry."""
    subscription = await book.subscription(expires_on=coming(month, day), credit_minor=3 * RENEWAL_MINOR)
    cut_off = subscription.plan.cancel_until
    assert cut_off.astimezone(ZONE).utcoffset() == utc_offset

    await subscription.at(cut_off)
    decision = await ask(subscription)

    assert cut_off <= decision.received_at < cut_off + 5 * MOMENT
    assert (decision.outcome, decision.effective_on) == (Outcome.DEFERRED, subscription.next_expires_on)
    assert (await subscription.status()).ends_after_next
    await subscription.at(local(subscription.expires_on))
    status = await subscription.status()
    assert (status.state, status.auto_renew, status.term.expires_on) == (
        State.CANCELLED,
        False,
        subscription.next_expires_on,
    )
    await subscription.at(local(subscription.next_expires_on + DAY))
    assert (await subscription.ending()).expires_on == subscription.next_expires_on
    assert subscription.renewals() == subscription.one_renewal


@pytest.mark.parametrize("signed", [{"by": "support:jo"}, {}], ids=["signed", "unsigned"])
async def test_a_cancel_received_before_the_cutoff_counts_even_if_no_worker_was_up(
    book: Book, worker: OwnWorker, signed: dict[str, str]
):
    """R3: what counts is when the server received it, and that is what the answer says."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.cancel_until - MOMENT)
    await worker.stop()
    await subscription.signal("cancel", signed)
    await asyncio.sleep(2 * MOMENT.total_seconds())  # a clock cannot be moved while a worker is waited for

    await worker.start()
    decision = await subscription.answer()

    [received_at] = await subscription.received()
    assert decision.received_at == received_at < subscription.plan.cancel_until
    [written] = await subscription.audit("cancel")
    assert written.at > subscription.plan.cancel_until  # it was handled late indeed
    assert (decision.outcome, decision.by) == (Outcome.ACCEPTED, signed.get("by", "tests"))
    await subscription.at(subscription.plan.term_ends_at + MOMENT)
    assert (await subscription.ending()).state == State.EXPIRED
    assert subscription.renewals() == []


async def test_a_cancel_received_in_time_and_handled_after_the_renewal_date_still_stops_it(
    book: Book, worker: OwnWorker
):
    """R3: the renewal waits for the answers to whatever came before it."""
    subscription = await book.subscription(policy=Policy(at=time(0)))  # renews at the very cut-off
    await subscription.at(subscription.plan.renews_at - MOMENT)
    await worker.stop()
    await subscription.signal("cancel", {"by": "support:jo"})
    await asyncio.sleep(2 * MOMENT.total_seconds())

    await worker.start()

    assert (await subscription.answer()).outcome == Outcome.ACCEPTED
    await subscription.at(subscription.plan.term_ends_at + MOMENT)
    assert (await subscription.ending()).state == State.EXPIRED
    assert subscription.renewals() == []
    assert await subscription.orders() == []
