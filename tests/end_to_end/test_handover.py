"""From run to run: what is asked while a workflow continues as new is neither lost nor answered twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from domain.messages import Cancel, Decision, Resume
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, MOMENT, local
from tests.end_to_end.subscribed import RENEWAL_MINOR, SIGNALLED, Subscribed
from tests.end_to_end.world import OwnWorker
from tests.eventually import PATIENCE, eventually

AFTERWARDS = 10
"""So many more are sent once the fresh run is there."""


async def test_no_signal_is_lost_around_the_renewal(book: Book):
    """Every one is answered or refused, and written down, on whichever side of the handover it came (R29)."""
    subscription = await book.subscription(credit_minor=3 * RENEWAL_MINOR)
    await subscription.at(subscription.plan.renews_at - MOMENT / 2)

    sent = 0
    async for _ in _until_the_run_has_turned(subscription, every_seconds=0.03):
        await _send(subscription, sent)
        sent += 1

    await eventually(lambda: _written_is(subscription, sent), f"{sent} signals in the audit")
    signals = [[e for e in run if e.event_type == SIGNALLED] for run in await subscription.runs()]
    assert sum(len(run) for run in signals) == sent
    assert all(signals), "the signals missed the handover"
    await subscription.at(local(subscription.expires_on - 7 * DAY))
    await _check_that_row_and_workflow_agree(subscription)
    assert subscription.renewals() == subscription.one_renewal


async def test_every_update_around_the_renewal_is_answered(book: Book):
    """Portal and command line get an answer on either side of the handover; repeats get the same one (R10)."""
    subscription = await book.subscription(credit_minor=3 * RENEWAL_MINOR)
    await subscription.at(subscription.plan.renews_at - MOMENT / 2)

    async def ask(number: int) -> Decision:
        request = subscription.resume if number % 2 else subscription.cancel
        return await request(request_id=f"request-{number}")

    asked: list[asyncio.Task[Decision]] = []
    async for _ in _until_the_run_has_turned(subscription, every_seconds=0.03):
        asked.append(asyncio.create_task(ask(len(asked))))
    answers = await asyncio.gather(*asked)

    assert [answer.request_id for answer in answers] == [f"request-{n}" for n in range(len(answers))]
    assert await subscription.cancel(request_id=answers[-2].request_id) in answers
    await subscription.at(local(subscription.expires_on - 7 * DAY))
    await _check_that_row_and_workflow_agree(subscription)
    assert subscription.renewals() == subscription.one_renewal


async def test_signals_that_wait_for_a_worker_are_each_answered_and_written_down(
    book: Book, worker: OwnWorker
):
    """R29: also when a worker takes up many at once; who asked for what is not lost."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    await worker.stop()
    for name in ("ann", "bob", "cec"):
        await subscription.signal("cancel", {"by": name})
        await subscription.signal("cancel", {"bye": name})
        await subscription.signal("cansel", name)

    await worker.start()

    await eventually(lambda: _written_is(subscription, 9), "nine lines of audit")
    assert [line.actor for line in await subscription.audit("cancel")] == ["ann", "bob", "cec"]
    assert len(await subscription.audit("refused_signal")) == len((await subscription.status()).refusals) == 6


async def _until_the_run_has_turned(subscription: Subscribed, every_seconds: float) -> AsyncIterator[None]:
    """Again and again until a fresh run has taken over, and some times more.

    Each time a little later: on a busy machine a run that is told something new all the time never gets to its end.
    """
    more = AFTERWARDS
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while more:
            yield
            await asyncio.sleep(every_seconds)
            every_seconds *= 1.02
            if (await subscription.handle.describe()).run_id != subscription.first_run_id:
                more -= 1


async def _send(subscription: Subscribed, number: int) -> None:
    match number % 3:
        case 0:
            await subscription.signal("cancel", Cancel(by="support:jo", request_id=str(number)))
        case 1:
            await subscription.signal("resume", Resume(by="support:jo", request_id=str(number)))
        case _:
            await subscription.signal("cancel", {"bye": "support:jo"})


async def _written_is(subscription: Subscribed, lines: int) -> bool:
    """Whether the audit has exactly so many lines about requests."""
    written = [await subscription.audit(action) for action in ("cancel", "resume", "refused_signal")]
    return sum(map(len, written)) == lines


async def _check_that_row_and_workflow_agree(subscription: Subscribed) -> None:
    row, status = (await subscription.row()).subscription, await subscription.status()
    assert (row.state, row.auto_renew, row.ends_after_next, row.expires_on) == (
        status.state,
        status.auto_renew,
        status.ends_after_next,
        status.term.expires_on,
    )
