"""Updates that staff do by hand: promised, warned of, flagged, reported, refused, and moved to and fro (R23, R24)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest_asyncio

from domain.messages import State
from tests.orders.customer import Customer
from tests.orders.days import DAY, TUESDAY, coming_weekday, local
from tests.orders.price_list import MAPI, SNIFFER, gross, price_list
from tests.orders.shop import Shop
from tests.orders.world import OwnWorker, World


@pytest_asyncio.fixture(loop_scope="session")
async def shop(world: World, worker: OwnWorker, shop: Shop) -> Shop:
    """A shop whose vendor has no API: updates of SmarterMail are done by hand."""
    await worker.start(price_list(channel="by_hand"))
    return shop


async def until_told(customer: Customer, kind: str, subjects: Sequence[str]) -> None:
    """Staff are told of just these orders, once each."""

    async def told() -> bool:
        return len(await customer.notices(kind, "staff")) >= len(subjects)

    await customer.eventually(f"staff are told of {kind}", told)
    assert sorted(notice.subject for notice in await customer.notices(kind, "staff")) == sorted(subjects)


async def test_nobody_acts_until_after_the_promise_then_it_is_done(shop: Shop):
    """R23: in the queue at once, warned 3 working hours before, flagged after; done later, all is well again."""
    tuesday = coming_weekday(6, TUESDAY)
    customer = await shop.customer()
    await customer.at(local(tuesday, "10:00"))
    bought = await customer.buy(SNIFFER)
    assert bought.paid is not None
    order_id, update_id = bought.order_id or "", bought.paid.update_id
    assert (bought.paid.channel, bought.paid.promise_at) == ("by_hand", local(tuesday + DAY, "17:30"))
    await until_told(customer, "update_by_hand", [order_id])

    await customer.at(local(tuesday + DAY, "14:29"))
    assert await customer.notices("promise_soon", "staff") == []
    await customer.at(local(tuesday + DAY, "14:31"))
    await until_told(customer, "promise_soon", [order_id])
    await customer.at(local(tuesday + DAY, "17:29"))
    assert (await customer.status()).promise_broken is False
    assert await customer.notices("promise_broken", "staff") == []

    await customer.at(local(tuesday + DAY, "17:31"))

    await until_told(customer, "promise_broken", [order_id])
    status, shown = await customer.status(), await customer.attributes()
    assert (status.promise_broken, status.last_failure) == (True, "PromiseBroken")
    assert (shown["PromiseBroken"], shown["FailureReason"]) == (True, "PromiseBroken")
    row, [update] = (await customer.row()).subscription, await customer.updates()
    assert (row.promise_broken, update.late, update.state) == (True, True, "pending")
    assert update.warned_at is not None

    await customer.report(update_id, expires_on=customer.expires_on)

    status = await customer.settled()
    assert (status.promise_broken, status.last_failure, status.promise_at) == (False, None, None)
    shown = await customer.attributes()
    assert (shown["PromiseBroken"], "FailureReason" in shown, "PromiseAt" in shown) == (False, False, False)
    held, [update] = await customer.row(), await customer.updates()
    assert (held.subscription.promise_broken, held.subscription.promise_at) == (False, None)
    assert (update.state, update.seen_expires_on, update.seen_addons) == (
        "done",
        customer.expires_on,
        [SNIFFER],
    )
    assert held.license.addons == [SNIFFER]
    assert [notice.subject for notice in await customer.notices("license_updated")] == [order_id]
    [reported] = await customer.audit("update_report")
    assert reported.actor == "staff:jo"
    assert await customer.vendor_orders() == []


async def test_a_renewal_by_hand_counts_when_the_new_expiry_is_reported(shop: Shop):
    """R24: the old expiry, or one too early, changes nothing but the audit; the new one begins the next term."""
    customer = await shop.customer(addons=[SNIFFER])
    await customer.at(customer.plan.renews_at + timedelta(minutes=1))
    [update] = await customer.updates()
    before = await customer.status()
    assert before.state == State.UPDATING

    await customer.report(update.id, expires_on=customer.expires_on)
    await customer.report(update.id, expires_on=customer.next_expires_on - DAY)
    await customer.report(update.id)

    async def written() -> bool:
        return len(await customer.audit("update_report")) == 3

    await customer.eventually("three reports are written down", written)
    status, [update] = await customer.status(), await customer.updates()
    assert (status.state, status.term) == (before.state, before.term)
    assert (update.state, update.attempted_at) == ("pending", None)
    assert (await customer.row()).license.vendor_expires_on == customer.expires_on

    await customer.report(update.id, expires_on=customer.next_expires_on)

    status = await customer.settled()
    assert (status.state, status.term.expires_on) == (State.ACTIVE, customer.next_expires_on)
    held, [update] = await customer.row(), await customer.updates()
    assert (held.license.vendor_expires_on, held.license.addons) == (customer.next_expires_on, [SNIFFER])
    assert (update.state, update.seen_expires_on) == ("done", customer.next_expires_on)
    assert len(await customer.notices("license_updated")) == 1
    assert await customer.taken_minor() == [gross(300_00, 120_00)]
    assert await customer.vendor_orders() == []


async def test_a_refusal_that_staff_report_gives_the_money_back(shop: Shop):
    """R20, R23: the vendor said no to staff: credits and card have their part back, the customer is told why."""
    customer = await shop.customer(credit_minor=20_00)
    bought = await customer.buy(SNIFFER)
    assert bought.paid is not None
    [taken_minor] = await customer.taken_minor()

    await customer.report(bought.paid.update_id, refusal="not sold for this key any more")

    status = await customer.settled()
    assert (status.state, status.auto_renew, status.promise_at) == (State.ACTIVE, True, None)
    [order], [update] = await customer.orders(), await customer.updates()
    assert (order.state, update.state, update.refusal) == (
        "refunded",
        "refused",
        "not sold for this key any more",
    )

    async def back() -> bool:
        return [charge["refunded"] for charge in await customer.charges()] == [taken_minor]

    await customer.eventually("the card has its part back", back)
    assert (await customer.quote(SNIFFER)).credits_minor == 20_00
    [told] = await customer.notices("update_refused")
    assert told.facts["reason"] == "not sold for this key any more"
    assert len(await customer.notices("update_refused", "staff")) == 1
    assert (await customer.row()).license.addons == []


async def test_an_update_that_fails_at_the_api_is_moved_to_the_queue_and_back(shop: Shop, worker: OwnWorker):
    """R23: by hand while the vendor is down, by program when it is up again; it is ordered once, and only there."""
    await worker.start(price_list(channel="api"))
    customer = await shop.customer()
    await customer.vendor_trouble("down")
    bought = await customer.buy(SNIFFER)
    assert bought.paid is not None
    assert bought.paid.channel == "api"
    order_id, update_id = bought.order_id or "", bought.paid.update_id

    await customer.report(update_id, channel="by_hand")

    await until_told(customer, "update_by_hand", [order_id])
    [update] = await customer.updates()
    assert (update.channel, update.state) == ("by_hand", "pending")
    await customer.world.control("vendor", "DELETE", "faults")
    await customer.at(customer.now + timedelta(hours=1))
    assert await customer.vendor_orders() == []

    await customer.report(update_id, channel="api")

    await customer.settled()
    [update] = await customer.updates()
    assert (update.channel, update.state) == ("api", "done")
    assert [order["kind"] for order in await customer.vendor_orders()] == ["addons"]
    assert (await customer.at_vendor())["addons"] == [SNIFFER]


async def test_an_update_moved_to_the_queue_is_done_there_by_a_report(shop: Shop, worker: OwnWorker):
    """R24: after attempts at the API too; what the report must show was fixed with the first of them."""
    await worker.start(price_list(channel="api"))
    customer = await shop.customer()
    await customer.vendor_trouble("down")
    await customer.at(customer.plan.renews_at + timedelta(seconds=30))
    [update] = await customer.updates()
    await customer.report(update.id, channel="by_hand")

    await customer.report(update.id, expires_on=customer.next_expires_on)

    status = await customer.settled()
    assert status.term.expires_on == customer.next_expires_on
    assert await customer.vendor_orders() == []


async def test_two_add_ons_and_a_renewal_wait_and_each_has_a_promise_of_its_own(shop: Shop):
    """R23: staff are warned of each and told of each broken promise, also of those that wait behind another."""
    customer = await shop.customer()
    await customer.at(customer.plan.renews_at - timedelta(minutes=1))
    first, second = await customer.buy(SNIFFER), await customer.buy(MAPI)
    assert first.paid is not None
    assert second.paid is not None
    await customer.at(customer.plan.renews_at + timedelta(minutes=1))
    [renewal] = await customer.orders("renewal")
    orders = [first.order_id or "", second.order_id or "", renewal.id]

    await customer.at(first.paid.promise_at + timedelta(minutes=1))

    await until_told(customer, "promise_soon", orders)
    await until_told(customer, "promise_broken", orders)
    assert [update.late for update in await customer.updates()] == [True] * 3
    assert (await customer.attributes())["PromiseBroken"] is True

    await customer.report(first.paid.update_id, expires_on=customer.expires_on)
    await customer.until("one is done", lambda status: len(status.open_orders) == 1)

    assert (await customer.attributes())["PromiseBroken"] is True
    await customer.report(second.paid.update_id, expires_on=customer.expires_on)
    await customer.until("both are done", lambda status: not status.open_orders)
    status = await customer.status()
    assert (status.state, status.promise_broken) == (State.UPDATING, True)
    [update] = [update for update in await customer.updates() if update.state == "pending"]
    await customer.report(update.id, expires_on=customer.next_expires_on)
    status = await customer.settled()
    assert (status.promise_broken, status.promise_at, status.last_failure) == (False, None, None)
    assert (await customer.attributes())["PromiseBroken"] is False
    assert sorted((await customer.row()).license.addons) == sorted([SNIFFER, MAPI])


async def test_news_of_an_add_on_that_comes_before_that_of_the_renewal_is_not_lost(shop: Shop):
    """R24: staff did both and report the later one first; it is written down although the term turns over between."""
    customer = await shop.customer()
    await customer.at(customer.plan.renews_at + timedelta(minutes=1))
    [renewal] = await customer.updates()
    bought = await customer.buy(SNIFFER)
    assert bought.paid is not None

    await customer.report(bought.paid.update_id, expires_on=customer.next_expires_on)
    await customer.report(renewal.id, expires_on=customer.next_expires_on)

    status = await customer.settled()
    assert (status.open_orders, status.term.expires_on) == ((), customer.next_expires_on)
    held = await customer.row()
    assert (held.license.addons, held.license.vendor_expires_on) == ([SNIFFER], customer.next_expires_on)
    assert {update.state for update in await customer.updates()} == {"done"}


async def test_news_of_what_is_not_owed_is_refused_where_it_shows(shop: Shop):
    """R23: a typing error in the update's number must not look like a success."""
    customer = await shop.customer()

    await customer.report("upd_typo", expires_on=customer.next_expires_on)

    status = await customer.until("it is refused", lambda status: bool(status.refusals))
    assert (status.refusals[-1].signal, "upd_typo" in status.refusals[-1].reason) == ("license_updated", True)


async def test_paid_add_ons_survive_the_end_of_the_subscription(shop: Shop):
    """R7, R23: cancelled, and bought a day before the end: the subscription ends when that is done too."""
    customer = await shop.customer(card="pm_card_visa")
    await customer.handle.signal("cancel", {"by": "customer"})
    await customer.at(local(customer.expires_on - DAY))
    bought = await customer.buy(SNIFFER)
    assert bought.outcome == "accepted"
    assert bought.paid is not None
    await customer.at(customer.plan.term_ends_at + timedelta(minutes=1))
    assert (await customer.status()).state == State.EXPIRED

    await customer.report(bought.paid.update_id, expires_on=customer.expires_on)

    async with asyncio.timeout(30):
        await customer.handle.result()
    [update] = await customer.updates()
    assert update.state == "done"
