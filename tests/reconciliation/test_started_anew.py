"""A subscription whose workflow was lost is started anew where it was: nothing is lost, nothing charged twice (R25)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import starter
from activities.lives import life_again
from db import invoices, orders
from db import payments as payment_rows
from domain.messages import AddAddons, OrderPaid, State, Upgrade
from payments.charge import Charge, Charged
from tests.end_to_end.world import OwnWorker
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.subscribed import RENEWAL_MINOR
from tests.reconciliation.accidents import (
    expired,
    found,
    lapsed_in_time,
    lost,
    nothing_left,
    paid_with_card,
    reconciled,
    settled_in_time,
    till,
)

ADDON = "Message Sniffer"


async def test_one_terminated_asleep_is_started_anew_and_renews_once(book: Book):
    subscription = await paid_with_card(book)
    await subscription.days_before_expiry(40)
    await lost(subscription)

    assert (await reconciled(book)).healed == 1
    await subscription.days_before_expiry(10)
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert len(await subscription.notices("reminder_60")) == 1
    await nothing_left(book)


async def test_one_terminated_while_it_collects_goes_on_and_takes_the_money_once(book: Book):
    subscription = await book.subscription()
    await subscription.customer.grant(100_00)
    await subscription.days_before_expiry(13)
    await subscription.until(State.COLLECTING)
    await lost(subscription)
    await subscription.customer.save_card()

    await reconciled(book)
    assert (await subscription.status()).state == State.COLLECTING
    await subscription.days_before_expiry(11)
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR - 100_00, "GBP")]
    assert await subscription.orders() == ["fulfilled"]
    await nothing_left(book)


async def test_one_terminated_between_charge_and_record_is_found_paid_and_charged_once(
    book: Book, worker: OwnWorker
):
    """R25: the row says unknown; the provider knows."""
    subscription = await book.subscription()
    await subscription.days_before_expiry(13)
    await subscription.until(State.COLLECTING)
    await lost(subscription)
    card = await subscription.customer.save_card()
    async with book.world.sessions.begin() as session:
        order = (await orders.open_renewals(session, subscription.id))[0]
        invoice, due_minor = await invoices.of_order(session, order.id)
        payment = await payment_rows.begin_charge(
            session, invoice, order.key, due_minor, card.payment_method, datetime.now(UTC)
        )
        payment.status, payment.recorded_at = "unknown", datetime.now(UTC) - timedelta(hours=2)
    wanted = Charge(payment.key, card.customer_reference, due_minor, "GBP", "renewal", card.payment_method)
    assert isinstance(await book.world.provider.charge(wanted), Charged)

    await reconciled(book)
    await subscription.days_before_expiry(13)
    await subscription.until_renewed()

    assert [one.healed_at is not None for one in await found(book, payment.id)] == [True]
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert [one.status for one in await subscription.payments()] == ["succeeded"]
    await nothing_left(book)


async def test_a_life_read_back_is_the_one_that_was_lost(book: Book):
    """State, reminders, money waited for: as the workflow itself carried them."""
    subscription = await book.subscription()
    await subscription.days_before_expiry(13)
    status = await subscription.until(State.COLLECTING)

    async with book.world.sessions() as session:
        life = await life_again(session, await subscription.row(), till(book.world))

    assert (life.state, life.failure, life.reminders_sent) == (State.COLLECTING, status.last_failure, 3)
    assert (life.term, life.round, life.plan) == (status.term, 1, status.plan)


async def test_one_with_open_orders_goes_on_with_each_of_them(book: Book):
    """R14, R27: an add-on that is paid and not done, an upgrade that is not paid yet."""
    subscription = await paid_with_card(book)
    client, vendor = book.world.client, book.world.vendor
    vendor.fault("down", subscription.license_key, on=["order"])
    bought = await starter.add_addons(client, subscription.id, AddAddons(addons=(ADDON,), by="customer"))
    wish = Upgrade(edition="Professional", size="500", by="staff:jo")
    ordered = await starter.upgrade(client, subscription.id, wish)
    assert bought.answer is not None
    assert ordered.answer is not None
    before = await subscription.status()
    await lost(subscription)

    assert (await reconciled(book)).healed == 1
    status = await subscription.status()
    assert (status.open_orders, status.unpaid_orders) == (before.open_orders, (ordered.answer.order_id,))
    vendor.control("DELETE", "/sandbox/faults")
    pay = OrderPaid(order_id=ordered.answer.order_id or "", by="customer")
    paid = await starter.pay(client, subscription.id, pay)
    assert paid.answer is not None
    assert paid.answer.outcome == "accepted", paid.answer.reason

    async def done() -> bool:
        license = (await subscription.row()).license
        return (license.size, license.addons) == ("500", [ADDON])

    await eventually(done, "both are done")
    assert await subscription.orders() == ["fulfilled", "fulfilled"]
    assert len(await subscription.customer.taken()) == 2
    assert len(vendor.orders(subscription.license_key)) == 2
    await nothing_left(book)


async def test_one_that_is_paid_and_not_updated_keeps_its_promise_and_is_updated_once(book: Book):
    """R23: the promise counts from the payment, whichever run keeps it."""
    subscription = await paid_with_card(book)
    book.world.vendor.fault("down", subscription.license_key, on=["order"])
    await subscription.days_before_expiry(14)
    promise_at = (await subscription.until(State.UPDATING)).promise_at
    await lost(subscription)

    assert (await reconciled(book)).healed == 1
    status = await subscription.status()
    assert (status.state, status.promise_at) == (State.UPDATING, promise_at)
    book.world.vendor.control("DELETE", "/sandbox/faults")
    await subscription.days_before_expiry(12)
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert len(await subscription.notices("receipt")) == 1
    await nothing_left(book)


async def test_one_that_has_lapsed_can_still_be_paid_for_late(book: Book):
    """R22: the thirty days go on, and the credits that went back are used."""
    subscription, life = await expired(book, days_ago=5)
    await subscription.customer.grant(100_00)
    assert (await settled_in_time(book, life)).paid is None
    await lapsed_in_time(book, life)

    assert (await reconciled(book)).healed == 1
    assert (await subscription.until(State.LAPSED)).last_failure == "NotPaidInTime"
    assert await subscription.customer.credits() == [("promotional", 100_00)]
    await subscription.customer.save_card()
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR - 100_00, "GBP")]
    assert await subscription.customer.credits() == [("promotional", 0)]
    assert len(await subscription.notices("lapsed")) == 1
    await nothing_left(book)


async def test_one_whose_term_ended_while_nobody_was_there_lapses_and_takes_nothing(book: Book):
    """R22: it was not paid by the end of the term; who pays within the thirty days is renewed."""
    subscription, _life = await expired(book, days_ago=10)
    await subscription.customer.save_card()

    assert (await reconciled(book)).healed == 1
    await subscription.until(State.LAPSED)
    assert await subscription.customer.taken() == []
    await starter.payment_changed(book.world.client, subscription.id, by="customer")
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    await nothing_left(book)


async def test_one_that_was_paid_in_time_is_renewed_though_its_term_ended_while_nobody_was_there(book: Book):
    """R23, R25: what was paid is done, however late; nothing is taken again."""
    subscription, life = await expired(book, days_ago=10)
    await subscription.customer.save_card()
    assert (await settled_in_time(book, life)).paid is not None

    assert (await reconciled(book)).healed == 1
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert await subscription.orders() == ["fulfilled"]
    assert len(await subscription.notices("promise_broken", "staff")) == 1
    await nothing_left(book)


async def test_one_that_nobody_was_there_for_a_whole_term_is_renewed_once_and_then_lapses(book: Book):
    """R22, R25: the term that was paid is renewed; the one after it, which is over too, takes nothing."""
    subscription, life = await expired(book, days_ago=365 + 40)
    await subscription.customer.save_card()
    assert (await settled_in_time(book, life)).paid is not None

    assert (await reconciled(book)).healed == 1

    assert (await subscription.ending()).state == State.LAPSED
    assert (await subscription.row()).subscription.expires_on == subscription.next_expires_on
    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert await subscription.orders() == ["fulfilled"]
    await nothing_left(book)
