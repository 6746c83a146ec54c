"""An add-on bought while the terms change is charged for both, and stays (R14, R21)."""

from __future__ import annotations

from datetime import timedelta

from domain.messages import State
from tests.orders.customer import Customer
from tests.orders.days import DAY, ZONE, local
from tests.orders.price_list import SNIFFER, gross, share
from tests.orders.shop import Shop


async def test_bought_between_payment_and_the_vendors_renewal_it_is_done_after_that(shop: Shop):
    """R14: both terms are charged; the vendor is down until both are owed, then has them in their order."""
    customer = await shop.customer()
    await customer.vendor_trouble("down")
    await customer.at(customer.plan.renews_at + timedelta(minutes=1))
    assert (await customer.status()).state == State.UPDATING

    answer = await customer.buy(SNIFFER)

    assert answer.outcome == "accepted"
    await check_charged_for_both_terms(customer)
    assert await customer.vendor_orders() == []
    await customer.vendor_recovers()
    await customer.settled()
    await check_next_renewal_includes_it(customer)


async def test_bought_after_the_vendors_renewal_in_the_last_days_of_the_old_term(shop: Shop):
    """R14: the new term has not begun yet; the last day of the old one is one day of prorata."""
    customer = await shop.customer()
    await customer.at(local(customer.expires_on, "22:00"))
    assert (await customer.status()).state == State.ACTIVE

    answer = await customer.buy(SNIFFER)

    assert answer.outcome == "accepted"
    await check_charged_for_both_terms(customer)
    await customer.settled()
    await check_next_renewal_includes_it(customer)


async def test_bought_on_the_first_day_of_the_new_term_it_is_charged_for_that_only(shop: Shop):
    """R14: all of its days, and nothing of the next."""
    customer = await shop.customer()
    await customer.at(local(customer.expires_on + DAY, "00:01"))

    answer = await customer.buy(SNIFFER)

    assert answer.outcome == "accepted"
    assert await customer.taken_minor() == [gross(300_00), gross(120_00)]
    await customer.settled()
    await check_next_renewal_includes_it(customer)


async def test_while_the_renewal_waits_for_money_nothing_is_sold(shop: Shop):
    """R14, R22: the answer says what to do first; once it is paid, it is sold for both terms."""
    customer = await shop.customer(card=None)
    await customer.at(customer.plan.renews_at + timedelta(minutes=1))
    assert (await customer.status()).state == State.COLLECTING

    refused = await customer.buy(SNIFFER)

    assert refused.outcome == "refused"
    assert "pay it first" in refused.reason
    assert refused.quote is None
    assert await customer.orders("addon") == []
    await customer.grant(gross(300_00) + gross(share(120_00, 15, customer.began.term.days), 120_00))
    await customer.until("renewed", lambda status: status.state == State.ACTIVE)
    accepted = await customer.buy(SNIFFER)
    assert accepted.outcome == "accepted"
    assert accepted.quote is not None
    assert accepted.quote.remainder_minor == 0
    await customer.settled()
    assert (await customer.at_vendor())["addons"] == [SNIFFER]


async def check_charged_for_both_terms(customer: Customer) -> None:
    """One charge for the renewal, one for the add-on: the days left and a whole term."""
    days = (customer.expires_on - customer.now.astimezone(ZONE).date()).days + 1
    part_minor = share(120_00, days, customer.began.term.days)
    assert await customer.taken_minor() == [gross(300_00), gross(part_minor, 120_00)]
    [order] = await customer.orders("addon")
    assert order.term_expires_on == customer.next_expires_on


async def check_next_renewal_includes_it(customer: Customer) -> None:
    """The license has it until the new expiry; the renewal after that charges license and add-on."""
    license = await customer.at_vendor()
    assert (license["addons"], license["expires_on"]) == ([SNIFFER], str(customer.next_expires_on))
    assert [order["kind"] for order in await customer.vendor_orders()] == ["renewal", "addons"]
    await customer.at(local(customer.next_expires_on - 13 * DAY))
    await customer.settled()
    assert (await customer.taken_minor())[2:] == [gross(300_00, 120_00)]
    license = await customer.at_vendor()
    assert license["addons"] == [SNIFFER]
    assert license["expires_on"][:4] == str(customer.next_expires_on.year + 1)
