"""What the payment provider tells the portal over HTTP: checked, heeded once, right in any order (R22, R25)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.webhooks import LARGEST_BODY
from sandbox.payments_webhooks import signature
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.customer import Customer
from tests.money.subscribed import RENEWAL_MINOR, Subscribed
from tests.money.world import World

KEY = ("sk_test_of_a_test", "")


@pytest.fixture(autouse=True)
async def _untold(book: Book, world: World) -> None:
    """The provider tells nobody: the tests do, in the order that they want."""
    await world.deliver_webhooks()


async def test_an_event_that_is_not_signed_by_the_provider_is_refused_and_heeded_by_nobody(book: Book):
    """R22: 400 for another secret, for none, for a changed body and for an old one; nothing is looked up."""
    license, event = await _declined_with_a_new_card_in_the_post(book)
    body = json.dumps(event)
    world = book.world
    good = signature(body, world.webhook_secret)
    forged = [
        signature(body, "whsec_another"),
        None,
        "",
        "t=1,v1=00",
        good.replace("t=", "t=1"),
        signature(body + " ", world.webhook_secret),
    ]

    for header in forged:
        assert await _post(world, body, header) == 400, header

    assert (await license.row()).customer.card_token != event["data"]["object"]["id"]
    assert await license.customer.taken() == []


async def test_an_event_of_a_kind_we_have_no_use_for_is_taken_and_ignored(book: Book):
    """200, or the provider would send it again for days."""
    license, event = await _declined_with_a_new_card_in_the_post(book)

    for kind in ("invoice.paid", "customer.created", "payment_method.detached", "something.quite_new"):
        assert await _tell(book.world, event | {"type": kind}) == 200

    assert await license.customer.taken() == []


async def test_an_oversized_event_is_refused(book: Book):
    """413, whoever has signed it; the largest that is taken is not."""
    secret = book.world.webhook_secret
    event = json.dumps({"id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1, "data": {}})
    largest = event + " " * (LARGEST_BODY - len(event))

    assert await _post(book.world, largest, signature(largest, secret)) == 200
    assert await _post(book.world, largest + " ", signature(largest + " ", secret)) == 413


async def test_events_that_come_again_and_backwards_change_nothing(book: Book):
    """R25: all that the provider ever told of a customer, twice more and newest first, after the renewal is done."""
    license, event = await _declined_with_a_new_card_in_the_post(book)
    customer = license.customer
    assert await _tell(book.world, event) == 200
    await license.until_renewed()
    before = await _everything(license)
    assert await customer.taken() == [(RENEWAL_MINOR, "GBP")]

    events = await _events(book.world, customer)
    assert len(events) >= 5
    for told in [*reversed(events), *events]:
        assert await _tell(book.world, told) == 200
    await license.days_before_expiry(5)

    assert await _everything(license) == before


async def test_news_of_an_older_card_after_those_of_a_newer_one_leave_the_newer_in_use(book: Book):
    """R22: each event is only a reason to look; the newest card is the one that is charged."""
    license, older = await _declined_with_a_new_card_in_the_post(book, "pm_card_chargeCustomerFail")
    customer = license.customer
    newer = await _new_card(book.world, customer, "pm_card_mastercard")

    assert await _tell(book.world, newer) == 200
    assert await _tell(book.world, older) == 200
    await license.until_renewed()

    assert (await license.row()).customer.card_token == newer["data"]["object"]["id"]
    assert [charge["decline"] for charge in await customer.charges()] == ["lost_card", None]


async def test_an_event_of_somebody_whom_we_do_not_know_is_taken_and_ignored(book: Book):
    """Other programs may use the same account at the provider."""
    license, event = await _declined_with_a_new_card_in_the_post(book)
    stranger = book.customer()
    stranger.id = "cus_stranger"
    await stranger.save_card()
    [told] = [one for one in await _events(book.world, stranger) if one["type"] == "payment_method.attached"]

    assert await _tell(book.world, told) == 200

    assert await license.customer.taken() == []
    assert event["type"] == "payment_method.attached"


async def _declined_with_a_new_card_in_the_post(
    book: Book, token: str = "pm_card_visa"
) -> tuple[Subscribed, dict[str, Any]]:
    """A license that waits for money, and the event, not told yet, of the card that may bring it."""
    license = await book.subscription()
    await license.customer.save_card(answers="lost_card")
    await license.days_before_expiry(13)
    assert (await license.status()).last_failure == "CardDeclined:lost_card"

    async def all_told() -> bool:
        return not (await book.world.payments.control("GET", "/healthz"))["events_owed"]

    await eventually(all_told, "the provider has told all there was")
    await book.world.deliver_webhooks(wanted=False)
    return license, await _new_card(book.world, license.customer, token)


async def _new_card(world: World, customer: Customer, token: str) -> dict[str, Any]:
    """Save another card on the provider's page; the event that tells of it."""
    await customer.new_card(token)
    events = await _events(world, customer)
    return [event for event in events if event["type"] == "payment_method.attached"][-1]


async def _events(world: World, customer: Customer) -> list[dict[str, Any]]:
    """The provider's events about a customer as it would send them, oldest first."""
    found = []
    for event in await world.payments.control(
        "GET", "/sandbox/events", params={"customer": customer.reference}
    ):
        answer = await world.http.get(f"{world.payments.url}/v1/events/{event['id']}", auth=KEY)
        found.append(answer.raise_for_status().json())
    return found


async def _tell(world: World, event: dict[str, Any]) -> int:
    body = json.dumps(event)
    return await _post(world, body, signature(body, world.webhook_secret))


async def _post(world: World, body: str, signed: str | None) -> int:
    """Send it to the portal; how that answers."""
    headers = {"Content-Type": "application/json"} | ({} if signed is None else {"Stripe-Signature": signed})
    answer = await world.http.post(f"{world.portal}/webhooks/payments", content=body, headers=headers)
    return answer.status_code


async def _everything(license: Subscribed) -> dict[str, object]:
    """All there is about a license's money."""
    customer = license.customer
    row = await license.row()
    return {
        "charges": await customer.charges(),
        "papers": await customer.papers(),
        "payments": [(payment.key, payment.status) for payment in await license.payments()],
        "orders": await license.orders(),
        "renewals": license.renewals(),
        "card": row.customer.card_token,
        "state": (row.subscription.state, row.subscription.expires_on),
        "receipts": len(await license.notices("receipt")),
    }
