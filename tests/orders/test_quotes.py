"""A quote is charged to the penny, or refused and made anew with nothing charged (R14, R15)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from domain.messages import State
from tests.orders.customer import Customer
from tests.orders.days import DAY, coming, first_of_march, local
from tests.orders.price_list import MAPI, SNIFFER, gross, price_list, share
from tests.orders.shop import Shop
from tests.orders.world import OwnWorker


async def nothing_happened(customer: Customer) -> None:
    assert await customer.orders("addon") == []
    assert await customer.taken_minor() == []
    assert (await customer.at_vendor())["addons"] == []


async def test_the_example_of_r14_is_quoted_charged_invoiced_and_receipted_at_the_same_penny(shop: Shop):
    """R14, R15: £120.00, 184 of 365 days: £60.49; less 10 %, plus 20 %: £65.33, at bank, invoice and receipt."""
    march = first_of_march()
    customer = await shop.customer(expires_on=march.replace(month=8, day=31))
    await customer.at(local(march))

    quote = await customer.quote(SNIFFER)
    answer = await customer.buy(SNIFFER, quote=quote)

    assert [(line.kind, line.amount_minor, line.days, line.term_days) for line in quote.lines] == [
        ("addon", 60_49, 184, 365),
        ("discount", -6_05, None, None),
        ("tax", 10_89, None, None),
    ]
    assert (quote.total_minor, quote.credits_minor, quote.remainder_minor) == (65_33, 0, 65_33)
    assert answer.outcome == "accepted"
    assert answer.quote is not None
    assert answer.quote.lines == quote.lines
    invoice, lines, due_minor = await customer.invoice(answer.order_id or "")
    assert (invoice.number, invoice.total_minor, invoice.tax_minor, due_minor) == (
        answer.invoice,
        65_33,
        10_89,
        0,
    )
    assert [(line.kind, line.description, line.amount_minor) for line in lines] == [
        (line.kind, line.description, line.amount_minor) for line in quote.lines
    ]
    [charge] = await customer.charges()
    assert (charge["amount"], charge["currency"], charge["status"]) == (65_33, "gbp", "succeeded")
    assert invoice.number in charge["description"]
    [receipt] = await customer.notices("receipt")
    said = receipt.facts
    assert (said["invoice"], said["total_minor"], said["card_minor"]) == (invoice.number, 65_33, 65_33)
    assert (said["addons"], said["credits_minor"]) == ([SNIFFER], 0)
    await customer.settled()
    assert (await customer.at_vendor())["addons"] == [SNIFFER]


async def test_credits_pay_first_and_the_card_the_rest_as_the_quote_says(shop: Shop):
    """R15, R18: the quote names the credits by grant and the remainder; both are used just so."""
    march = first_of_march()
    customer = await shop.customer(expires_on=march.replace(month=8, day=31), credit_minor=20_00)
    await customer.at(local(march))

    quote = await customer.quote(SNIFFER)
    answer = await customer.buy(SNIFFER, quote=quote)

    assert (quote.total_minor, quote.credits_minor, quote.remainder_minor) == (65_33, 20_00, 45_33)
    assert [use.amount_minor for use in quote.credits] == [20_00]
    assert answer.outcome == "accepted"
    assert await customer.taken_minor() == [45_33]
    [receipt] = await customer.notices("receipt")
    assert (receipt.facts["credits_minor"], receipt.facts["card_minor"]) == (20_00, 45_33)


async def test_once_the_renewal_is_settled_the_quote_is_for_both_terms(shop: Shop):
    """R14: the rest of this term and the whole next one, two lines; one charge for both."""
    customer = await shop.customer()
    await customer.at(local(customer.expires_on - 10 * DAY))

    quote = await customer.quote(SNIFFER)
    answer = await customer.buy(SNIFFER, quote=quote)

    rest_minor = share(120_00, 11, customer.began.term.days)
    assert [line.amount_minor for line in quote.lines if line.kind == "addon"] == [rest_minor, 120_00]
    assert quote.total_minor == gross(rest_minor, 120_00)
    assert answer.outcome == "accepted"
    assert await customer.taken_minor() == [gross(300_00), quote.total_minor]


async def test_a_quote_holds_to_the_last_seconds_of_its_day_and_not_after(shop: Shop):
    """R15: it lapses at local midnight, which is 23:00 UTC in summer; then nothing is taken and a new one is made."""
    june = coming(6, 10)
    customer = await shop.customer(expires_on=coming(8, 31, after=june))
    await customer.at(local(june, "23:00"))
    in_time, late = await customer.quote(SNIFFER), await customer.quote(MAPI)
    assert in_time.lapses_at == late.lapses_at == local(june + DAY, "00:00")

    await customer.at(in_time.lapses_at - timedelta(seconds=20))
    accepted = await customer.buy(SNIFFER, quote=in_time)
    await customer.at(in_time.lapses_at)
    refused = await customer.buy(MAPI, quote=late)

    assert accepted.outcome == "accepted"
    assert refused.outcome == "refused"
    assert "lapsed at midnight" in refused.reason
    assert refused.quote is not None
    assert refused.quote.quote_id != late.quote_id
    assert refused.quote.total_minor < late.total_minor
    assert await customer.taken_minor() == [in_time.total_minor]
    again = await customer.buy(MAPI, quote=refused.quote)
    assert again.outcome == "accepted"
    assert await customer.taken_minor() == [in_time.total_minor, refused.quote.total_minor]


async def test_a_changed_price_is_refused_and_quoted_anew(shop: Shop, worker: OwnWorker):
    """R15: the catalogue was changed between quote and order; the new quote shows the new price."""
    customer = await shop.customer()
    quote = await customer.quote(SNIFFER)
    await worker.start(price_list(sniffer="130.00"))

    refused = await customer.buy(SNIFFER, quote=quote)

    assert refused.outcome == "refused"
    assert "changed" in refused.reason
    await nothing_happened(customer)
    assert refused.quote is not None
    assert refused.quote.total_minor > quote.total_minor
    accepted = await customer.buy(SNIFFER, quote=refused.quote)
    assert accepted.outcome == "accepted"
    assert await customer.taken_minor() == [refused.quote.total_minor]


async def test_a_license_meanwhile_renewed_is_quoted_anew_for_both_terms(shop: Shop):
    """R14, R15: quoted at 8:50 on the renewal date, renewed at 9:00, ordered at 9:10."""
    customer = await shop.customer(credit_minor=gross(300_00))
    renews_on = customer.plan.renews_on
    await customer.at(local(renews_on, "08:50"))
    quote = await customer.quote(SNIFFER)
    assert quote.next_term is None

    await customer.at(local(renews_on, "09:10"))
    refused = await customer.buy(SNIFFER, quote=quote)

    assert refused.outcome == "refused"
    assert "changed" in refused.reason
    await nothing_happened(customer)
    assert refused.quote is not None
    assert [line.days for line in refused.quote.lines if line.kind == "addon"][1:] == [
        (customer.next_expires_on - customer.expires_on).days
    ]


async def test_changed_credit_is_quoted_anew(shop: Shop):
    """R15: what the credits pay is part of the quote; with more of them, less would be taken from the card."""
    customer = await shop.customer()
    quote = await customer.quote(SNIFFER)
    await customer.grant(5_00)

    refused = await customer.buy(SNIFFER, quote=quote)

    assert refused.outcome == "refused"
    await nothing_happened(customer)
    assert refused.quote is not None
    assert (quote.remainder_minor, refused.quote.remainder_minor) == (
        quote.total_minor,
        quote.total_minor - 5_00,
    )


async def test_a_quote_buys_once_and_only_what_it_is_for(shop: Shop):
    """R15, R25: two orders at the same moment on one quote make one charge; another add-on is not on it."""
    customer = await shop.customer()
    quote = await customer.quote(SNIFFER)

    other = await customer.buy(MAPI, quote=quote)
    answers = await asyncio.gather(*(customer.buy(SNIFFER, quote=quote) for _ in range(2)))
    later = await customer.buy(SNIFFER, quote=quote)

    assert (other.outcome, other.reason) == ("refused", f"quote {quote.quote_id} is for {SNIFFER}")
    assert sorted(answer.outcome for answer in answers) == ["accepted", "refused"]
    assert later.outcome == "refused"
    assert await customer.taken_minor() == [quote.total_minor]


async def test_what_the_card_declines_is_not_ordered(shop: Shop):
    """R15, R20: nothing is taken, credits return, and the same quote may be asked for anew."""
    customer = await shop.customer(card="pm_card_chargeCustomerFail", credit_minor=5_00)
    quote = await customer.quote(SNIFFER)

    refused = await customer.buy(SNIFFER, quote=quote)

    assert refused.outcome == "refused"
    assert "nothing was charged" in refused.reason
    assert await customer.taken_minor() == []
    [order] = await customer.orders()
    _invoice, _lines, due_minor = await customer.invoice(order.id)
    assert (order.state, due_minor) == ("void", 0)
    anew = await customer.quote(SNIFFER)
    assert (anew.total_minor, anew.credits_minor) == (quote.total_minor, 5_00)
    assert (await customer.status()).state == State.ACTIVE
