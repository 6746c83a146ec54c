"""Changing one's mind: late cancellations, resumptions and repeats (R8–R10)."""

from __future__ import annotations

import pytest

import starter
from domain.decisions import Outcome
from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, MOMENT, local
from tests.end_to_end.subscribed import RENEWAL_MINOR, Subscribed


async def test_a_resume_before_the_renewal_date_renews_on_it(book: Book):
    """R9: nothing happens before the renewal date, and then the renewal does."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    assert (await subscription.cancel()).outcome == Outcome.ACCEPTED

    await subscription.at(local(subscription.expires_on - 20 * DAY))
    decision = await subscription.resume()

    assert (decision.outcome, decision.effective_on) == (Outcome.ACCEPTED, subscription.expires_on)
    assert subscription.renewals() == []
    await subscription.at(local(subscription.expires_on))
    assert subscription.renewals() == subscription.one_renewal
    assert (await subscription.status()).state == State.ACTIVE


@pytest.mark.parametrize("days_before", [13, 0])
async def test_a_resume_after_the_renewal_date_renews_at_once(book: Book, days_before: int):
    """R9: up to the last minute of the term; the new term starts at the old expiry all the same (R1)."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    await subscription.cancel()

    await subscription.at(local(subscription.expires_on - days_before * DAY, "23:59:30"))
    decision = await subscription.resume()

    assert "starts at once" in decision.sentence
    await subscription.renewed()
    assert subscription.renewals() == subscription.one_renewal
    [order] = await subscription.orders()
    assert order.term_starts_on == subscription.expires_on + DAY
    assert (await subscription.row()).subscription.auto_renew


async def test_a_resume_after_the_end_of_the_term_is_refused(book: Book):
    """R9: what has ended cannot be taken up again, and whoever asks is told so."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    await subscription.cancel()
    await subscription.at(subscription.plan.term_ends_at + MOMENT)
    await subscription.ending()

    with pytest.raises(starter.NotRunning):
        await subscription.resume()


async def test_a_resume_takes_a_late_cancel_back(book: Book):
    """R8, R9: the wish that was kept for the next expiry is gone; both terms are renewed."""
    subscription = await book.subscription(credit_minor=2 * RENEWAL_MINOR)
    await subscription.at(local(subscription.expires_on - 14 * DAY, "08:00"))
    assert (await subscription.cancel()).outcome == Outcome.DEFERRED

    decision = await subscription.resume()

    assert (decision.outcome, decision.effective_on) == (Outcome.ACCEPTED, subscription.next_expires_on)
    assert not (await subscription.row()).subscription.ends_after_next
    await subscription.at(local(subscription.next_expires_on))
    assert len(subscription.renewals()) == 2
    assert (await subscription.status()).auto_renew


async def test_a_late_cancel_can_be_taken_back_in_the_next_term(book: Book):
    """R8, R9: once renewed, the kept wish is a cancellation like any other."""
    subscription = await book.subscription(credit_minor=2 * RENEWAL_MINOR)
    await subscription.at(local(subscription.expires_on - 14 * DAY, "08:00"))
    await subscription.cancel()
    await subscription.at(local(subscription.expires_on))
    assert (await subscription.status()).state == State.CANCELLED

    assert (await subscription.resume()).outcome == Outcome.ACCEPTED

    await subscription.at(local(subscription.next_expires_on))
    assert len(subscription.renewals()) == 2


async def test_the_same_request_again_is_answered_the_same(book: Book):
    """R10: the request id says that it is a repeat; also as a signal, also after it was taken back."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))
    first = await subscription.cancel(request_id="mail-1", reason="moved")
    assert await subscription.cancel(request_id="mail-1", reason="moved") == first
    await subscription.resume(request_id="mail-2")

    assert await subscription.cancel(request_id="mail-1", by="somebody else") == first
    await subscription.signal("cancel", {"request_id": "mail-1"})

    assert (await subscription.status()).auto_renew
    assert len(await subscription.audit("cancel")) == 1
    await subscription.at(local(subscription.expires_on))
    assert subscription.renewals() == subscription.one_renewal


async def test_a_second_cancel_changes_nothing_and_is_answered_with_the_same_dates(book: Book):
    """R10: in time or late, the second one says no_change and when the subscription ends."""
    in_time, late = await book.subscription(), await book.subscription(credit_minor=2 * RENEWAL_MINOR)
    await in_time.at(local(in_time.expires_on - 40 * DAY))
    await late.at(local(late.expires_on - 14 * DAY, "08:00"))

    for subscription in (in_time, late):
        first, second = await subscription.cancel(), await subscription.cancel(by="support:jo")

        assert (second.outcome, second.by) == (Outcome.NO_CHANGE, "support:jo")
        assert (second.effective_on, second.cancel_by) == (first.effective_on, first.cancel_by)
        assert [kind for kind in await subscription.notices() if kind.startswith("cancel")] == [
            f"cancel_{first.outcome}"
        ]


async def test_a_repeat_is_known_after_the_term_has_turned(book: Book):
    """R10: answers travel from run to run, so a mail that is read again a month later does no harm."""
    subscription = await book.subscription(credit_minor=2 * RENEWAL_MINOR)
    await subscription.at(local(subscription.expires_on - 14 * DAY, "08:00"))
    late = await subscription.cancel(request_id="mail-1")
    taken_back = await subscription.resume(request_id="mail-2")
    await subscription.at(local(subscription.expires_on))
    assert len(await subscription.runs()) == 2

    assert await subscription.cancel(request_id="mail-1") == late
    assert await subscription.resume(request_id="mail-2") == taken_back

    assert await _renews(subscription)


async def test_a_second_cancel_in_the_term_that_a_late_one_ends_changes_nothing(book: Book):
    """R8, R10: across the renewal the subscription still ends when the first answer said it would."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 14 * DAY, "08:00"))
    late = await subscription.cancel()
    await subscription.at(local(subscription.expires_on))

    again = await subscription.cancel()

    assert (again.outcome, again.effective_on) == (Outcome.NO_CHANGE, late.effective_on)


async def _renews(subscription: Subscribed) -> bool:
    status = await subscription.status()
    return status.auto_renew and not status.ends_after_next
