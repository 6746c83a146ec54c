"""A customer who orders an add-on on the portal's own pages: a request that is followed everywhere."""

from __future__ import annotations

import httpx

from tests.money.subscribed import Subscribed
from tests.observability.world import World
from tests.portal.visitor import visitor

ADDON = "Message Sniffer"
PAY = "/subscriptions/{subscription_id}/quotes/{quote_id}/pay"
"""The route of the request that orders."""

HUSH = "hush"
"""Stands in that request's query, where something secret might stand."""


async def order(world: World, subscription: Subscribed, request_id: str = "") -> httpx.Response:
    """Sign in, choose, have it quoted, pay with the saved card; answers what the last request got.

    `request_id`: the X-Request-ID that is sent along.
    """
    async with visitor(world) as customer:
        await customer.sign_in(subscription.customer.email)
        here = f"/subscriptions/{subscription.id}"
        await customer.open(f"{here}/addons")
        await customer.submit(f"{here}/quotes", addons=[ADDON])
        form = customer.form(f"{customer.page.url.path}/pay")
        form.action += f"?token={HUSH}"
        if request_id:
            customer.http.headers["X-Request-ID"] = request_id
        answer = await customer.send(form, follow=False)
    assert answer.status_code == 303, answer.text
    assert "/orders/" in answer.headers["location"], answer.headers["location"]
    return answer
