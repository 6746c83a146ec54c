"""Support orders with Temporal's own command line; wishes that cannot be are refused clearly, both ways (R10, R14)."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from tests.opened import opened
from tests.orders.customer import Customer
from tests.orders.price_list import SNIFFER, SYNC
from tests.orders.shop import Shop

IMPOSSIBLE = pytest.mark.parametrize(
    ("addon", "says"),
    [
        ("Anti Gravity", "Anti Gravity"),
        (SNIFFER, "already has 'Message Sniffer'"),
        (SYNC, "Exchange ActiveSync"),
    ],
    ids=["unknown", "it has it", "its edition cannot have it"],
)


async def signal(customer: Customer, **payload: Any) -> None:
    """`temporal workflow signal --name add_addons --input '{…}'`."""
    words = ("--workflow-id", customer.workflow_id, "--name", "add_addons", "--input", json.dumps(payload))
    await customer.world.command("workflow", "signal", *words)


async def queried(customer: Customer) -> dict[str, Any]:
    """`temporal workflow query --type status`, opened as the codec's door would do it."""
    words = ("--workflow-id", customer.workflow_id, "--type", "status", "--output", "json")
    printed = await customer.world.command("workflow", "query", *words)
    return opened(printed, customer.world.settings.payload_codec())


async def test_support_adds_an_add_on_by_signal_and_sees_quote_charge_and_promise(shop: Shop):
    """R14, R15, R23: sent with Temporal's command line, read with its `status` query; audited with who did it."""
    customer = await shop.customer()

    await signal(customer, addons=["Message Sniffer"], by="support:jo")

    await customer.until("it is answered", lambda status: status.last_order is not None)
    await customer.settled()
    last = (await queried(customer))["last_order"]
    quote, promise = last["quote"], last["paid"]["promise_at"]
    assert (last["outcome"], last["by"], quote["addons"]) == ("accepted", "support:jo", [SNIFFER])
    assert await customer.taken_minor() == [quote["total_minor"]]
    invoice, _lines, due_minor = await customer.invoice(last["order_id"])
    assert (invoice.number, invoice.total_minor, due_minor) == (last["invoice"], quote["total_minor"], 0)
    assert promise == quote["promise_at"]
    [order] = await customer.orders()
    assert order.promise_at == datetime.fromisoformat(promise)
    assert (await customer.at_vendor())["addons"] == [SNIFFER]
    [written] = await customer.audit("order_addon")
    assert written.actor == "support:jo"


@IMPOSSIBLE
async def test_what_cannot_be_sold_is_refused_by_update(shop: Shop, addon: str, says: str):
    """R12, R14: with a sentence that names it; nothing is ordered or charged."""
    customer = await shop.customer(addons=[SNIFFER])

    answer = await customer.buy(addon)

    assert (answer.outcome, answer.quote, answer.order_id) == ("refused", None, None)
    assert says in answer.reason
    assert await customer.orders() == []
    assert await customer.taken_minor() == []


@IMPOSSIBLE
async def test_what_cannot_be_sold_is_refused_by_signal_where_it_shows(shop: Shop, addon: str, says: str):
    """R12, R14: a signal has no answer, so the refusal stands in `status`, and is audited."""
    customer = await shop.customer(addons=[SNIFFER])

    await signal(customer, addons=[addon], by="support:jo")

    await customer.until("it is refused", lambda status: bool(status.refusals))
    status = await queried(customer)
    refusal, last = status["refusals"][-1], status["last_order"]
    assert (refusal["signal"], says in refusal["reason"]) == ("add_addons", True)
    assert (last["outcome"], last["by"]) == ("refused", "support:jo")
    assert await customer.orders() == []

    async def audited() -> bool:
        return bool(await customer.audit("refused_signal"))

    await customer.eventually("the refusal is audited", audited)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"addon": ["Message Sniffer"]}, "addon"),
        ({"addons": []}, "addons"),
        ({"addons": "Message Sniffer"}, "addons"),
    ],
    ids=["a misspelled field", "none", "a text, not a list"],
)
async def test_a_signal_that_is_not_understood_is_refused_where_it_shows(
    shop: Shop, payload: dict[str, Any], says: str
):
    """A typing error must show, and never stop the workflow."""
    customer = await shop.customer()

    await signal(customer, **payload)

    status = await customer.until("it is refused", lambda status: bool(status.refusals))
    assert says in status.refusals[-1].reason
    assert await customer.orders() == []


async def test_the_same_request_id_orders_once_however_it_comes(shop: Shop):
    """R10, R25: by signal, twice by update at once, and again when it is done: one order, the same answer."""
    customer = await shop.customer()

    await signal(customer, addons=["Message Sniffer"], by="support:jo", request_id="ticket-7")
    answers = await asyncio.gather(*(customer.buy(SNIFFER, request_id="ticket-7") for _ in range(2)))
    await customer.settled()
    later = await customer.buy(SNIFFER, request_id="ticket-7")

    [order] = await customer.orders()
    everything = [*answers, later]
    assert {answer.outcome for answer in everything} == {"accepted"}
    assert {answer.order_id for answer in everything} == {order.id}
    assert {answer.paid.promise_at for answer in everything if answer.paid} == {order.promise_at}
    assert len(await customer.taken_minor()) == 1
    assert len(await customer.vendor_orders()) == 1
    assert (await customer.status()).refusals == ()


async def test_the_same_request_id_again_after_a_decline_does_not_charge(shop: Shop):
    """R10: what was refused stays refused under its id; a new wish has a new one."""
    customer = await shop.customer(card="pm_card_chargeCustomerFail")
    first = await customer.buy(SNIFFER, request_id="ticket-8")
    await customer.card_answers("approve")

    again = await customer.buy(SNIFFER, request_id="ticket-8")
    anew = await customer.buy(SNIFFER, request_id="ticket-9")

    assert (first.outcome, again.outcome, anew.outcome) == ("refused", "refused", "accepted")
    assert len(await customer.taken_minor()) == 1
