"""Upgrades that staff accepted: priced, open until paid, done, and renewed at the new size (R23, R27)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.messages import State
from tests.orders.customer import Customer
from tests.orders.days import DAY, first_of_march, local
from tests.orders.price_list import MAPI, SNIFFER, SYNC, gross, share
from tests.orders.shop import Shop


def taxed(net_minor: int) -> int:
    """An upgrade has no loyalty discount (R13): net and 20 %."""
    return net_minor + share(net_minor, 20, 100)


async def check_done_and_renewed(customer: Customer, paid_minor: list[int], renewal_minor: int) -> None:
    """The license is Enterprise 500 at the vendor and with us; the next renewal costs what that costs."""
    status = await customer.settled()
    assert (status.state, status.unpaid_orders, status.promise_at) == (State.ACTIVE, (), None)
    license, held = await customer.at_vendor(), await customer.row()
    assert (license["edition"], license["size"]) == ("Enterprise", "500")
    assert (held.license.edition, held.license.size) == ("Enterprise", "500")
    assert license["expires_on"] == str(customer.expires_on)
    assert await customer.taken_minor() == paid_minor
    await customer.at(local(customer.expires_on - 13 * DAY))
    await customer.settled()
    assert await customer.taken_minor() == [*paid_minor, renewal_minor]
    license = await customer.at_vendor()
    assert (license["edition"], license["size"]) == ("Enterprise", "500")
    assert license["expires_on"] == str(customer.next_expires_on)
    assert [order["kind"] for order in await customer.vendor_orders()] == ["upgrade", "renewal"]


async def test_an_upgrade_costs_the_difference_for_the_days_left_add_ons_too(shop: Shop):
    """R14, R27: (480 + 120) − (200 + 80) = £320.00, 184 of 365 days; open until it is paid, with the card."""
    march = first_of_march()
    customer = await shop.customer(expires_on=march.replace(month=8, day=31), size="250", addons=[SNIFFER])
    await customer.at(local(march))

    answer = await customer.upgrade("Enterprise", "500", reason="request 7")

    net_minor = share(320_00, 184, 365)
    assert net_minor == 161_32
    assert (answer.outcome, answer.by, answer.paid) == ("to_be_paid", "staff:jo", None)
    order_id = answer.order_id or ""
    status = await customer.status()
    assert (status.state, status.unpaid_orders, status.open_orders) == (State.ACTIVE, (order_id,), ())
    invoice, lines, due_minor = await customer.invoice(order_id)
    assert (invoice.number, invoice.total_minor, due_minor) == (
        answer.invoice,
        taxed(net_minor),
        taxed(net_minor),
    )
    assert [(line.kind, line.amount_minor) for line in lines] == [("upgrade", 161_32), ("tax", 32_26)]
    [told] = await customer.notices("order_to_pay")
    assert (told.subject, told.facts["total_minor"]) == (order_id, taxed(net_minor))
    await customer.at(local(march + 7 * DAY))
    assert await customer.charges() == []
    assert (await customer.at_vendor())["size"] == "250"

    paid = await customer.pay(order_id)

    assert paid.outcome == "accepted"
    assert paid.paid is not None
    assert paid.paid.promise_at == customer.world.settings.working_days().promise_time(paid.paid.paid_at)
    await check_done_and_renewed(customer, [taxed(net_minor)], gross(480_00, 120_00))


async def test_an_upgrade_at_a_stated_price_is_paid_with_credits_and_the_card(shop: Shop):
    """R18, R27: the price that staff stated, plus tax; credits first, the card the rest."""
    customer = await shop.customer(size="250", credit_minor=30_00)

    answer = await customer.upgrade("Enterprise", "500", price_minor=50_00)
    paid = await customer.pay(answer.order_id or "")

    assert (answer.outcome, paid.outcome) == ("to_be_paid", "accepted")
    invoice, _lines, due_minor = await customer.invoice(answer.order_id or "")
    assert (invoice.total_minor, due_minor) == (60_00, 0)
    [receipt] = await customer.notices("receipt")
    assert (receipt.facts["credits_minor"], receipt.facts["card_minor"]) == (30_00, 30_00)
    await check_done_and_renewed(customer, [30_00], gross(480_00))


async def test_a_declined_upgrade_stays_open_and_is_paid_later(shop: Shop):
    """R22, R27: nothing is taken back but what was not given; with a good card it is paid, once."""
    customer = await shop.customer(size="250", card="pm_card_chargeCustomerFail")
    answer = await customer.upgrade("Enterprise", "500", price_minor=50_00)
    order_id = answer.order_id or ""

    refused = await customer.pay(order_id)

    assert refused.outcome == "refused"
    assert "nothing was charged" in refused.reason
    assert (await customer.status()).unpaid_orders == (order_id,)
    await customer.card_answers("approve")
    paid = await customer.pay(order_id)
    again = await customer.pay(order_id)
    assert (paid.outcome, again.outcome) == ("accepted", "refused")
    assert "waits to be paid" in again.reason
    await check_done_and_renewed(customer, [60_00], gross(480_00))


async def test_a_repeated_wish_to_pay_is_answered_the_same_and_tries_the_card_once(shop: Shop):
    """R10: a double click after a decline is not another try; a new wish is."""
    customer = await shop.customer(size="250", card="pm_card_chargeCustomerFail")
    order_id = (await customer.upgrade("Enterprise", "500", price_minor=50_00)).order_id or ""

    first = await customer.pay(order_id, request_id="click-1")
    again = await customer.pay(order_id, request_id="click-1")

    assert first == again
    assert len(await customer.charges()) == 1
    await customer.card_answers("approve")
    assert (await customer.pay(order_id, request_id="click-2")).outcome == "accepted"
    await check_done_and_renewed(customer, [60_00], gross(480_00))


async def test_an_upgrade_outlives_a_downgrade_that_was_noted_before_it(shop: Shop):
    """R27: what was wished last counts; the renewal does not make the license small again."""
    customer = await shop.customer(size="250", addons=[SNIFFER])
    await customer.at_renewal(SNIFFER, edition="Professional", size="250")
    order_id = (await customer.upgrade("Enterprise", "500", price_minor=50_00)).order_id or ""

    assert (await customer.pay(order_id)).outcome == "accepted"

    await check_done_and_renewed(customer, [60_00], gross(480_00))
    assert (await customer.at_vendor())["addons"] == []


@pytest.mark.parametrize(
    ("edition", "size", "says"),
    [
        ("Professional", "250", "no upgrade"),
        ("Professional", "500", "no upgrade"),
        ("Enterprise", "77", "77"),
        ("Platinum", "500", "Platinum"),
    ],
    ids=["smaller", "the same", "no such size", "no such edition"],
)
async def test_what_is_no_upgrade_is_refused(shop: Shop, edition: str, size: str, says: str):
    """R27: with a sentence; nothing is ordered."""
    customer = await shop.customer(size="500")

    answer = await customer.upgrade(edition, size)

    assert answer.outcome == "refused"
    assert says in answer.reason
    assert await customer.orders() == []


async def test_the_same_request_id_orders_an_upgrade_once(shop: Shop):
    """R10, R27: before it is paid and after."""
    customer = await shop.customer(size="250")

    first = await customer.upgrade("Enterprise", "500", request_id="request-7")
    again = await customer.upgrade("Enterprise", "500", request_id="request-7")
    await customer.pay(first.order_id or "")
    await customer.settled()
    after = await customer.upgrade("Enterprise", "500", request_id="request-7")

    assert len({answer.order_id for answer in (first, again, after)}) == 1
    assert (first.outcome, again.outcome, after.outcome) == ("to_be_paid", "to_be_paid", "accepted")
    assert len(await customer.orders()) == 1
    assert (await customer.status()).unpaid_orders == ()


async def test_an_unpaid_upgrade_survives_the_turn_of_the_term_and_is_paid_after_it(shop: Shop):
    """R27: continue-as-new carries it; the renewal is of the license as it is."""
    customer = await shop.customer(size="250")
    answer = await customer.upgrade("Enterprise", "500", price_minor=50_00)

    await customer.at(local(customer.expires_on + DAY))

    assert (await customer.status()).unpaid_orders == (answer.order_id,)
    paid = await customer.pay(answer.order_id or "")
    assert paid.outcome == "accepted"
    await customer.settled()
    license = await customer.at_vendor()
    assert (license["size"], license["expires_on"]) == ("500", str(customer.next_expires_on))
    assert await customer.taken_minor() == [gross(200_00), 60_00]


async def test_a_paid_add_on_survives_the_turn_of_the_term_while_the_vendor_is_down(shop: Shop):
    """R23, R25: the renewal was done by telephone; the next run goes on with what was bought meanwhile."""
    customer = await shop.customer(edition="Enterprise", size="500")
    await customer.vendor_trouble("down")
    await customer.at(customer.plan.renews_at + timedelta(seconds=30))
    [renewal] = await customer.updates()
    bought = [await customer.buy(SYNC), await customer.buy(MAPI)]
    assert [answer.outcome for answer in bought] == ["accepted", "accepted"]

    renewed = {**await customer.at_vendor(), "expires_on": str(customer.next_expires_on)}
    await customer.world.control("vendor", "POST", "licenses?replace=true", json=[renewed])
    await customer.report(renewal.id, expires_on=customer.next_expires_on)

    status = await customer.until("the term has turned over", lambda status: status.state == State.ACTIVE)
    assert [order.order_id for order in status.open_orders] == [answer.order_id for answer in bought]
    assert status.term.expires_on == customer.next_expires_on
    promise_at = bought[0].paid.promise_at if bought[0].paid else None
    assert (await customer.attributes())["PromiseAt"] == promise_at
    assert (await customer.row()).subscription.promise_at == promise_at

    await customer.vendor_recovers()

    status = await customer.settled()
    assert (status.promise_at, status.promise_broken) == (None, False)
    license = await customer.at_vendor()
    assert (license["addons"], license["expires_on"]) == (sorted([SYNC, MAPI]), str(customer.next_expires_on))
    assert [order["kind"] for order in await customer.vendor_orders()] == ["addons", "addons"]
    assert len(await customer.taken_minor()) == 3
