"""A renewal that credits do not cover: tried again on its days, at once when money comes, or given back."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, MOMENT, ZONE, local
from tests.end_to_end.subscribed import RENEWAL_MINOR, Subscribed

SHORT_MINOR = RENEWAL_MINOR - 1
"""A penny less than a renewal costs."""


async def test_a_renewal_that_cannot_be_paid_waits_and_says_why(book: Book):
    """R22: what credits there are have been used; the license is not renewed; everybody can see it waits for money."""
    subscription = await book.subscription(credit_minor=SHORT_MINOR)

    await subscription.at(subscription.plan.renews_at + timedelta(minutes=1))

    status, shown, row = (
        await subscription.status(),
        await subscription.attributes(),
        await subscription.row(),
    )
    assert status.state == row.subscription.state == shown["SubscriptionState"] == State.COLLECTING
    assert status.last_failure == row.subscription.failure_reason == shown["FailureReason"] is not None
    assert await _left_minor(subscription) == [0]
    assert (await subscription.notices())[-2:] == ["renewal_fixed", "payment_failed"]
    assert subscription.renewals() == []


async def test_credit_that_arrives_is_used_at_once(book: Book):
    """R22: not on the next day of the schedule, but now; then everything goes its way."""
    subscription = await book.subscription(credit_minor=SHORT_MINOR)
    await subscription.at(local(subscription.expires_on - 8 * DAY))

    await subscription.grant(1)

    await subscription.renewed()
    [order] = await subscription.orders()
    assert order.paid_at is not None
    assert order.paid_at.astimezone(ZONE).date() == subscription.expires_on - 8 * DAY
    assert subscription.renewals() == subscription.one_renewal
    assert await _left_minor(subscription) == [0, 0]
    assert "FailureReason" not in await subscription.attributes()


async def test_collecting_is_tried_on_each_day_of_the_schedule(book: Book):
    """R22: at E-14, E-12, E-9, E-5, E-2 and E-0, at nine in the morning; the customer is written to once."""
    subscription = await book.subscription(credit_minor=SHORT_MINOR)
    await subscription.at(local(subscription.expires_on - 15 * DAY))

    await subscription.at(local(subscription.expires_on, "23:59"))

    attempts = await _attempts(subscription)
    assert attempts == [f"{subscription.expires_on - days * DAY} 09:00" for days in (14, 12, 9, 5, 2, 0)]
    assert (await subscription.notices()).count("payment_failed") == 1
    assert (await subscription.status()).state == State.COLLECTING


@pytest.mark.parametrize("days_before", [12, 5, 0])
async def test_credit_that_nobody_told_of_is_found_on_the_next_day_of_the_schedule(
    book: Book, days_before: int
):
    """R22: a message that was lost delays a renewal; it does not cost the license."""
    subscription = await book.subscription(credit_minor=0)
    await subscription.at(local(subscription.expires_on - (days_before + 1) * DAY))
    await subscription.grant(RENEWAL_MINOR, tell=False)

    await subscription.at(local(subscription.expires_on - days_before * DAY))

    await subscription.renewed()
    assert (await _attempts(subscription))[-1] == f"{subscription.expires_on - days_before * DAY} 09:00"
    assert subscription.renewals() == subscription.one_renewal


async def test_a_renewal_that_nobody_pays_lapses_and_takes_nothing(book: Book):
    """R20, R22: at the end of the last day credits go back to their grants and the invoice is taken back."""
    subscription = await book.subscription(credit_minor=100_00)
    await subscription.grant(16_00)
    before = {grant.grant_id: grant.remaining_minor for grant in await subscription.statement()}

    await subscription.at(subscription.plan.term_ends_at - MOMENT)
    assert (await subscription.status()).state == State.COLLECTING
    await subscription.at(subscription.plan.term_ends_at + timedelta(minutes=1))

    status, shown, row = (
        await subscription.status(),
        await subscription.attributes(),
        await subscription.row(),
    )
    assert status.state == row.subscription.state == shown["SubscriptionState"] == State.LAPSED
    assert {grant.grant_id: grant.remaining_minor for grant in await subscription.statement()} == before
    assert [order.state for order in await subscription.orders()] == ["void"]
    assert (await subscription.notices())[-1] == "lapsed"
    await book.check_ledger()
    await subscription.at(subscription.plan.late_until_at - MOMENT)
    assert (await subscription.status()).state == State.LAPSED
    await subscription.at(subscription.plan.late_until_at + MOMENT)
    assert (await subscription.ending()).state == State.LAPSED
    assert (await subscription.row()).subscription.state == State.LAPSED
    assert subscription.renewals() == []


@pytest.mark.parametrize("days_after", [1, 30])
async def test_a_lapsed_license_that_is_paid_in_thirty_days_is_renewed_from_its_old_expiry(
    book: Book, days_after: int
):
    """R1, R22: late, but without a lost or a free day."""
    subscription = await book.subscription(credit_minor=SHORT_MINOR)
    await subscription.at(local(subscription.expires_on + days_after * DAY, "23:59"))
    assert (await subscription.status()).state == State.LAPSED

    await subscription.grant(1)

    await subscription.renewed()
    assert subscription.renewals() == subscription.one_renewal
    assert [order.state for order in await subscription.orders()] == ["void", "fulfilled"]
    row = (await subscription.row()).subscription
    assert (row.starts_on, row.expires_on) == (subscription.expires_on + DAY, subscription.next_expires_on)
    assert await _left_minor(subscription) == [0, 0]
    assert (await subscription.status()).plan.renews_on == subscription.next_expires_on - 14 * DAY


async def test_a_lapsed_license_is_paid_whole_or_not_at_all(book: Book):
    """R22: after the expiry a part is not taken, however often one is told of it."""
    subscription = await book.subscription(credit_minor=0)
    await subscription.at(local(subscription.expires_on + 2 * DAY))

    await subscription.grant(SHORT_MINOR)
    await subscription.at(local(subscription.expires_on + 4 * DAY))

    assert await _left_minor(subscription) == [SHORT_MINOR]
    assert (await subscription.status()).state == State.LAPSED
    await subscription.grant(1)
    await subscription.renewed()
    assert subscription.renewals() == subscription.one_renewal


async def test_a_late_cancel_while_money_is_waited_for_ends_the_next_term(book: Book):
    """R8, R22: the renewal still goes ahead when it is paid, and it is the last."""
    subscription = await book.subscription(credit_minor=0)
    await subscription.at(local(subscription.expires_on - 8 * DAY))
    await subscription.cancel()

    await subscription.grant(RENEWAL_MINOR)

    await subscription.until(State.CANCELLED)
    assert subscription.renewals() == subscription.one_renewal
    await subscription.at(local(subscription.next_expires_on + DAY))
    assert (await subscription.ending()).expires_on == subscription.next_expires_on


async def _attempts(subscription: Subscribed) -> list[str]:
    """The local times at which settling was tried."""
    markers = await subscription.events(EventType.EVENT_TYPE_MARKER_RECORDED)
    tried = [event for event in markers if b'"settle"' in event.SerializeToString()]
    times = [event.event_time.ToDatetime(tzinfo=UTC).astimezone(ZONE) for event in tried]
    return [f"{time:%Y-%m-%d %H:%M}" for time in times]


async def _left_minor(subscription: Subscribed) -> list[int]:
    return [grant.remaining_minor for grant in await subscription.statement()]
