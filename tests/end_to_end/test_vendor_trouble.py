"""A vendor that is slow, forgetful, away or says no: the license is renewed once, by the promise time or flagged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.dates import DAY, MOMENT, TUESDAY, coming_weekday, local
from tests.end_to_end.subscribed import RENEWAL_MINOR, Subscribed
from tests.end_to_end.world import World

ACTIVITY_STARTED = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED


@pytest.mark.parametrize(
    ("fault", "details"),
    [
        ("lose_reply", {"times": 1}),
        ("fail", {"times": 3}),
        ("rate_limit", {"times": 2, "seconds": 1}),
        ("lose_reply", {"times": 2, "on": ["lookup"]}),
    ],
    ids=["the reply is lost", "500 three times", "rate limited", "the read-back is lost"],
)
async def test_a_vendor_in_trouble_renews_once(
    book: Book, world: World, fault: str, details: dict[str, object]
):
    """R25: an unknown outcome is looked up before anything is tried again."""
    subscription = await book.subscription()
    world.vendor.fault(fault, subscription.license_key, **details)

    await subscription.at(local(subscription.expires_on - 13 * DAY))

    assert subscription.renewals() == subscription.one_renewal
    assert (await subscription.status()).state == State.ACTIVE
    assert [order.state for order in await subscription.orders()] == ["fulfilled"]
    assert await _left_minor(subscription) == 0


async def test_an_update_counts_only_when_the_vendors_own_record_shows_it(book: Book, world: World):
    """R24: as long as the read-back lags behind, it is read again; the order is not placed again."""
    subscription = await book.subscription()
    world.vendor.fault("lag", subscription.license_key, times=1, reads=3)

    await subscription.at(local(subscription.expires_on - 13 * DAY))

    started = await subscription.events(ACTIVITY_STARTED)
    assert [event.activity_task_started_event_attributes.attempt for event in started] == [4]
    assert subscription.renewals() == subscription.one_renewal
    assert [order["repeats"] for order in world.vendor.orders(subscription.license_key)] == [0]
    assert (await subscription.status()).term.expires_on == subscription.next_expires_on


async def test_a_promise_that_cannot_be_kept_is_flagged_and_still_kept_later(book: Book, world: World):
    """R23: staff are warned and told, operators can find it, it is still tried; once done the flag is gone."""
    subscription = await book.subscription(expires_on=coming_weekday(TUESDAY) + 13 * DAY, credit_minor=0)
    world.vendor.fault("down", subscription.license_key)
    await subscription.at(local(subscription.expires_on - 13 * DAY, "23:59"))
    await subscription.grant(RENEWAL_MINOR)  # as late in the day as can be: the promise is short
    status = await subscription.until(State.UPDATING)
    assert status.promise_at == local(subscription.expires_on - 12 * DAY, "17:30")
    assert not status.promise_broken

    await subscription.at(status.promise_at + timedelta(minutes=1))

    status, shown, row = (
        await subscription.status(),
        await subscription.attributes(),
        await subscription.row(),
    )
    assert (status.promise_broken, status.last_failure) == (True, "PromiseBroken")
    assert (shown["PromiseBroken"], shown["FailureReason"]) == (True, "PromiseBroken")
    assert shown["PromiseAt"] == status.promise_at
    assert row.subscription.promise_broken
    assert await subscription.notices("staff") == ["promise_soon", "promise_broken"]
    assert subscription.renewals() == []

    world.vendor.control("DELETE", "/sandbox/faults")
    await subscription.at(local(subscription.expires_on))

    status, shown, row = (
        await subscription.status(),
        await subscription.attributes(),
        await subscription.row(),
    )
    assert (status.state, status.promise_broken, status.last_failure) == (State.ACTIVE, False, None)
    assert (shown["PromiseBroken"], "PromiseAt" in shown, "FailureReason" in shown) == (False, False, False)
    assert (row.subscription.promise_broken, row.subscription.promise_at) == (False, None)
    assert subscription.renewals() == subscription.one_renewal


@pytest.mark.parametrize(("marked", "fact"), [("revoked", "RevokedKey"), ("unknown", "UnknownKey")])
async def test_a_final_no_gives_every_penny_back_to_its_grant(book: Book, marked: str, fact: str):
    """R20, R23: nothing is renewed; customer and staff are told; nobody tries again by itself."""
    subscription = await book.subscription(credit_minor=RENEWAL_MINOR - 16_00)
    await subscription.grant(20_00)
    before = {grant.grant_id: grant.remaining_minor for grant in await subscription.statement()}
    book.mark(subscription, marked)

    await subscription.at(local(subscription.expires_on - 13 * DAY))

    status, shown, row = (
        await subscription.status(),
        await subscription.attributes(),
        await subscription.row(),
    )
    assert (status.state, status.auto_renew, status.last_failure) == (State.REFUSED, False, fact)
    assert (shown["SubscriptionState"], shown["FailureReason"]) == (State.REFUSED, fact)
    assert "PromiseAt" not in shown
    assert (row.subscription.state, row.subscription.failure_reason) == (State.REFUSED, fact)
    assert row.subscription.promise_at is None
    assert {grant.grant_id: grant.remaining_minor for grant in await subscription.statement()} == before
    assert [order.state for order in await subscription.orders()] == ["refunded"]
    assert "update_refused" in await subscription.notices()
    assert await subscription.notices("staff") == ["update_refused"]
    assert subscription.renewals() == []
    await subscription.at(subscription.plan.term_ends_at + MOMENT)
    assert (await subscription.ending()).state == State.REFUSED
    assert subscription.renewals() == []


async def test_a_refused_renewal_is_tried_anew_when_it_is_resumed(book: Book):
    """R9, R23: staff have put the key right and resume; a new order is made, invoiced, paid and proved."""
    subscription = await book.subscription()
    book.mark(subscription, "revoked")
    await subscription.at(local(subscription.expires_on - 13 * DAY))
    await subscription.until(State.REFUSED)
    book.mark(subscription, "active")

    await subscription.resume(by="staff:jo")
    await subscription.renewed()

    assert [order.state for order in await subscription.orders()] == ["refunded", "fulfilled"]
    assert subscription.renewals() == subscription.one_renewal
    assert await _left_minor(subscription) == 0
    row, shown = (await subscription.row()).subscription, await subscription.attributes()
    assert (row.state, row.failure_reason, row.auto_renew) == (State.ACTIVE, None, True)
    assert "FailureReason" not in shown


async def _left_minor(subscription: Subscribed) -> int:
    return sum([grant.remaining_minor for grant in await subscription.statement()])
