"""Many at once on one account: credit is used once, and the card pays what is missing (R17, R18)."""

from __future__ import annotations

import asyncio

import starter
from domain.messages import AddAddons
from tests.money.book import Book
from tests.money.subscribed import RENEWAL_MINOR


async def test_two_renewals_and_an_addon_share_credit_that_is_enough_for_one(book: Book):
    """R17, R18, R21: no credit is used twice, none is overdrawn, and the shortfall goes to the card to the penny."""
    customer = book.customer()
    one, other, third = [await book.subscription(customer) for _ in range(3)]
    await customer.save_card()
    await customer.grant(100_00)
    await customer.grant(80_00)

    _one, _other, ordered = await asyncio.gather(
        one.at(one.plan.renews_at),
        other.at(other.plan.renews_at),
        starter.add_addons(book.world.client, third.id, AddAddons(addons=("MAPI & EWS",), by="customer")),
    )
    await asyncio.gather(one.until_renewed(), other.until_renewed())

    assert ordered.answer is not None
    assert ordered.answer.outcome == "accepted", ordered.answer.reason
    invoices = await customer.papers()
    assert len(invoices) == 3
    assert all((invoice.due_minor, invoice.paid_minor) == (0, invoice.total_minor) for invoice in invoices)
    used = [part for invoice in invoices for part in invoice.parts if part.source == "promotional"]
    assert sum(part.amount_minor for part in used) == RENEWAL_MINOR
    assert await customer.credits() == [("promotional", 0), ("promotional", 0)]
    for grant in await customer.statement():
        assert all(line.balance_minor >= 0 for line in grant.lines)
    owed_minor = sum(invoice.total_minor for invoice in invoices)
    assert sum(amount for amount, _currency in await customer.taken()) == owed_minor - RENEWAL_MINOR


async def test_an_addon_is_taken_now_or_not_at_all_and_nobody_is_asked_to_confirm_it(book: Book):
    """R15, R20: a bank that wants the customer refuses the order; nothing is left open that could be paid later."""
    license = await book.subscription()
    customer = license.customer
    await customer.save_card("pm_card_authenticationRequired")
    await customer.grant(10_00)

    ordered = await starter.add_addons(
        book.world.client, license.id, AddAddons(addons=("MAPI & EWS",), by="customer")
    )

    assert ordered.answer is not None
    assert ordered.answer.outcome == "refused"
    assert [charge["status"] for charge in await customer.charges()] == ["canceled"]
    assert await license.notices("confirm_payment") == []
    assert await customer.credits() == [("promotional", 10_00)]
    [invoice] = await customer.papers()
    assert (invoice.due_minor, invoice.credited_minor) == (0, -invoice.total_minor)
