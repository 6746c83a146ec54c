"""Two add-ons and a renewal at the same time, whatever the vendor does: each once (R21, R24, R25)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.orders.customer import Customer
from tests.orders.days import local
from tests.orders.price_list import MAPI, SNIFFER, gross, share
from tests.orders.shop import Shop

THREE = ["addon", "addon", "renewal"]


async def order_all_in_a_minute(customer: Customer) -> tuple[int, int]:
    """Two add-ons half a minute before the renewal is due, then that; what the add-ons cost for this term."""
    renews_at = customer.plan.renews_at
    await customer.at(renews_at - timedelta(seconds=30))
    answers = await asyncio.gather(customer.buy(SNIFFER), customer.buy(MAPI))
    assert [answer.outcome for answer in answers] == ["accepted", "accepted"]
    await customer.at(renews_at + timedelta(seconds=15))
    days = (customer.expires_on - customer.plan.renews_on).days + 1
    term_days = customer.began.term.days
    return share(120_00, days, term_days), share(220_00, days, term_days)


@pytest.mark.parametrize(
    ("trouble", "details"),
    [
        ("lose_reply", {}),
        ("lose_reply", {"on": ["order", "lookup"], "times": 4}),
        ("fail", {"times": 5}),
        ("lag", {"reads": 2}),
    ],
    ids=["every reply is lost", "orders and proofs are lost", "500 five times", "the record lags behind"],
)
async def test_two_add_ons_and_a_renewal_within_a_minute_are_all_done_once(
    shop: Shop, trouble: str, details: dict[str, object]
):
    """R25: all three are on the license at the vendor, each was charged once, the vendor has one order of each."""
    customer = await shop.customer()
    await customer.vendor_trouble(trouble, **details)
    sniffer_minor, mapi_minor = await order_all_in_a_minute(customer)

    await customer.at(local(customer.plan.renews_on, "23:00"))

    await customer.settled()
    license = await customer.at_vendor()
    assert license["addons"] == sorted([SNIFFER, MAPI])
    assert license["expires_on"] == str(customer.next_expires_on)
    assert sorted(await customer.taken_minor()) == sorted(
        [gross(sniffer_minor), gross(mapi_minor), gross(300_00, 120_00, 220_00)]
    )
    assert sorted(order["kind"] for order in await customer.vendor_orders()) == [
        "addons",
        "addons",
        "renewal",
    ]
    assert sorted(order.kind for order in await customer.orders()) == THREE
    assert {order.state for order in await customer.orders()} == {"fulfilled"}
    row = (await customer.row()).subscription
    assert (row.promise_at, row.promise_broken, row.state) == (None, False, "active")
    assert "PromiseAt" not in await customer.attributes()


async def test_an_add_on_that_waits_for_the_vendor_is_in_the_price_of_the_renewal(shop: Shop):
    """R14, R21: it was paid to the end of the term only, and stays on the license: the next term is charged too."""
    customer = await shop.customer(edition="Professional", size="250")
    await customer.vendor_trouble("down")
    await customer.at(customer.plan.renews_at - timedelta(hours=1))
    assert (await customer.buy(SNIFFER)).outcome == "accepted"
    ordered = await customer.upgrade("Professional", "500", price_minor=10_00)
    assert (await customer.pay(ordered.order_id or "")).outcome == "accepted"

    await customer.at(customer.plan.renews_at + timedelta(minutes=1))

    [renewal] = await customer.orders("renewal")
    invoice, _lines, due_minor = await customer.invoice(renewal.id)
    assert (invoice.total_minor, due_minor) == (gross(300_00, 120_00), 0)
    await customer.vendor_recovers()
    await customer.settled()
    license = await customer.at_vendor()
    assert (license["addons"], license["size"]) == ([SNIFFER], "500")
    assert license["expires_on"] == str(customer.next_expires_on)
    assert [order["kind"] for order in await customer.vendor_orders()] == ["addons", "upgrade", "renewal"]


async def test_a_refused_add_on_leaves_the_promise_of_the_other_standing(shop: Shop):
    """R20, R23: the vendor does not sell the first one: its money is back at the card; the second is done."""
    customer = await shop.customer()
    await customer.vendor_trouble("slow", seconds=0.5, times=1)
    await customer.vendor_trouble("refuse", times=1)
    answers = await asyncio.gather(customer.buy(SNIFFER), customer.buy(MAPI))
    assert [answer.outcome for answer in answers] == ["accepted", "accepted"]

    status = await customer.settled()

    states = {order.added_addons[0]: order.state for order in await customer.orders()}
    assert sorted(states.values()) == ["fulfilled", "refunded"]
    [done] = [addon for addon, state in states.items() if state == "fulfilled"]
    assert (await customer.at_vendor())["addons"] == [done]
    refunded = [charge["refunded"] for charge in await customer.charges()]
    assert sorted(refunded) == sorted([0, max(refunded)])
    assert max(refunded) in await customer.taken_minor()
    assert (
        len(await customer.notices("update_refused"))
        == len(await customer.notices("update_refused", "staff"))
        == 1
    )
    assert (status.state, status.auto_renew, status.promise_at) == ("active", True, None)


async def test_an_add_on_refused_after_the_renewal_was_priced_with_it_is_given_back_for_both_terms(
    shop: Shop,
):
    """R20, R23: its own order, and its part of the renewal with discount and tax; the rest of the renewal stands."""
    customer = await shop.customer()
    await customer.vendor_trouble("down")
    await customer.at(customer.plan.renews_at - timedelta(hours=1))
    bought = await customer.buy(SNIFFER)
    assert bought.quote is not None
    await customer.at(customer.plan.renews_at + timedelta(minutes=1))
    assert await customer.taken_minor() == [bought.quote.total_minor, gross(300_00, 120_00)]
    [update, renewal] = await customer.updates()

    await customer.report(update.id, refusal="not sold any more")
    await customer.vendor_recovers()

    await customer.settled()
    license = await customer.at_vendor()
    assert (license["addons"], license["expires_on"]) == ([], str(customer.next_expires_on))
    given_back = {charge["amount"]: charge["refunded"] for charge in await customer.charges()}
    assert given_back == {
        bought.quote.total_minor: bought.quote.total_minor,
        gross(300_00, 120_00): gross(300_00, 120_00) - gross(300_00),
    }
    states = {order.kind: order.state for order in await customer.orders()}
    assert states == {"addon": "refunded", "renewal": "fulfilled"}
    assert renewal.order_id == (await customer.orders("renewal"))[0].id
