"""Delivers the sandbox provider's events: signed as Stripe signs them, in order, again and again until taken."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from dataclasses import dataclass, field

import httpx

from sandbox.payments_faults import Faults
from sandbox.payments_forms import Endpoint
from sandbox.payments_outbox import Delivery, Outbox
from sandbox.payments_shapes import Shape
from sandbox.serving import NO_TLS

PATIENCE_SECONDS = 5.0  # for one answer of the endpoint
LONGEST_SLEEP_SECONDS = 5.0
log = logging.getLogger("sandbox.payments")


@dataclass
class Messenger:
    """Runs beside the server. Events that come up meanwhile follow at once when it is woken."""

    outbox: Outbox
    faults: Faults
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while an event is on its way."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something is owed."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        async with httpx.AsyncClient(verify=NO_TLS, trust_env=False, timeout=PATIENCE_SECONDS) as client:
            while True:
                self._woken.clear()
                for delivery in self.outbox.due():
                    async with self.sending:
                        if endpoint := self.outbox.endpoint():  # it may have been changed meanwhile
                            await self._deliver(client, endpoint, delivery)
                await self._sleep()

    async def _deliver(self, client: httpx.AsyncClient, endpoint: Endpoint, delivery: Delivery) -> None:
        customer = owner(delivery.event)
        if self.faults.take("webhook_lost", "webhook", customer):
            self.outbox.settle(delivery, "lost")
        elif self.faults.take("webhook_off", "webhook", customer):
            self.outbox.postpone(delivery)
        elif delivery.attempts == 0 and (late := self.faults.take("webhook_late", "webhook", customer)):
            self.outbox.postpone(delivery, late.seconds)
        elif await self._post(client, endpoint, delivery.event):
            if self.faults.take("webhook_twice", "webhook", customer):
                await self._post(client, endpoint, delivery.event)
            self.outbox.settle(delivery, "arrived")
        else:
            self.outbox.postpone(delivery)

    async def _post(self, client: httpx.AsyncClient, endpoint: Endpoint, event: Shape) -> bool:
        body = json.dumps(event)
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body, endpoint.secret)}
        try:
            response = await client.post(endpoint.url or "", content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("%s: the webhook cannot be reached (%s)", event["type"], type(error).__name__)
            return False
        log.info("%s: the webhook answered %d", event["type"], response.status_code)
        return response.is_success

    async def _sleep(self) -> None:
        due = self.outbox.next_due()
        seconds = LONGEST_SLEEP_SECONDS if due is None else due - time.time()
        try:
            async with asyncio.timeout(min(max(seconds, 0.01), LONGEST_SLEEP_SECONDS)):
                await self._woken.wait()
        except TimeoutError:
            pass


def owner(event: Shape) -> str | None:
    """The customer whom an event is about."""
    about = event["data"]["object"]
    return str(about["id"]) if about["object"] == "customer" else about.get("customer")


def signature(body: str, secret: str) -> str:
    """The header by which the receiver knows us: https://docs.stripe.com/webhooks#verify-manually."""
    second = int(time.time())
    digest = hmac.new(secret.encode(), f"{second}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={second},v1={digest}"
