"""A customer with something on every page, and the pages: for the tests of their looks and for the screenshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.eventually import eventually
from tests.money.book import Book
from tests.money.world import World
from tests.portal.doings import ask_something, give_credit, order_addons, quote


async def pages(world: World, book: Book) -> tuple[str, dict[str, str]]:
    """The customer's e-mail address; name → path of each page, the main ones first."""
    customer = book.customer("GB")
    subscribed = await book.subscription(customer, addons=["Message Sniffer"])
    other = await book.subscription(customer, expires_on=datetime.now(UTC).date() + timedelta(days=9))

    async def due() -> bool:
        return (await other.row()).subscription.state == "collecting"

    await eventually(due, "the other renewal waits for a card")
    await give_credit(world, customer, 40_00, "WELCOME")
    await customer.save_card()
    await other.until_renewed()
    await give_credit(world, customer, 300_00, "GOODWILL-17")
    offered = await quote(world, subscribed)
    asked = await ask_something(world, customer)
    ordered = await order_addons(world, other)
    here, there = f"/subscriptions/{subscribed.id}", f"/subscriptions/{other.id}"
    return customer.email, {
        "subscriptions": "/subscriptions",
        "subscription": here,
        "quote": f"{here}/quotes/{offered.quote_id}",
        "cancel": f"{here}/cancel",
        "too-late-to-cancel": f"{there}/cancel",
        "credits": "/credits",
        "invoices": "/invoices",
        "invoice": f"/invoices/{ordered.invoice}",
        "request-form": "/requests/new",
        "order": f"{there}/orders/{ordered.order_id}",
        "addons": f"{here}/addons",
        "resume": f"{here}/resume",
        "leave-out": f"{here}/at-renewal?addon=Message%20Sniffer",
        "card": "/cards",
        "requests": "/requests",
        "request": f"/requests/{asked}",
        "paper": f"/invoices/{ordered.invoice}/paper",
        "account": "/account",
        "ended": "/subscriptions?ended=true",
        "not-found": "/nothing/here",
    }
