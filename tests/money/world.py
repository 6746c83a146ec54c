"""The world of the end-to-end tests, and in it the portal and the payment provider, who talk to each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from commands.stack import stack_up
from payments.stripe_provider import StripeProvider
from sandbox.stack import PORTAL
from tests.end_to_end import world as end_to_end
from tests.payments.running import ONE_CALL, Sandbox


@dataclass
class World(end_to_end.World):
    """A running stack with its portal, and the ways to it that tests use."""

    payments: Sandbox
    provider: StripeProvider
    http: httpx.AsyncClient

    @property
    def portal(self) -> str:
        """Where the portal answers."""
        return self.stack.addresses.urls["portal"]

    @property
    def webhook_secret(self) -> str:
        """Signs what the payment provider tells the portal."""
        return self.variables["EVERGREEN_STRIPE_WEBHOOK_SECRET"]

    async def deliver_webhooks(self, wanted: bool = True) -> None:
        """Have the payment provider tell the portal of what happens, as it does in earnest; or nobody."""
        url = f"{self.portal}/webhooks/payments" if wanted else None
        webhook = {"url": url, "secret": self.webhook_secret}
        await self.payments.control("PUT", "/sandbox/webhook", json=webhook)

    async def empty(self) -> None:
        """Forget all rows, and the troubles of vendor and payment provider."""
        await super().empty()
        await self.payments.control("DELETE", "/sandbox/faults")

    async def deserted(self) -> None:
        """As if nobody had been there: the payment provider tells nobody either."""
        await super().deserted()
        await self.deliver_webhooks(False)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A world of its own, gone without a trace at the end."""
    async with end_to_end.world(identity="tests") as made:
        await made.stack.run(PORTAL, env=made.variables)
        async with with_money(made) as complete:
            yield complete


@asynccontextmanager
async def world_of_make_up() -> AsyncIterator[World]:
    """The stack of `make up` with clocks that can be moved; its worker gives way to the tests' own."""
    with TemporaryDirectory(prefix="evergreen-", dir=end_to_end.FAST_PLACE) as name:
        folder = Path(name).resolve()
        async with (
            stack_up(folder, time_skipping=True, fast=True) as up,
            end_to_end.world_on(up, folder, identity="tests") as bare,
            with_money(bare) as made,
        ):
            await up.programs["worker"].stop()
            yield made


@asynccontextmanager
async def with_money(made: end_to_end.World) -> AsyncIterator[World]:
    """The same world, where the portal is up, with the ways to the payment provider."""
    async with httpx.AsyncClient(timeout=30, limits=ONE_CALL, trust_env=False) as http:
        payments = Sandbox(made.stack.programs["payments"], made.stack.addresses.urls["payments"], http)
        yield World(**vars(made), payments=payments, provider=made.settings.payment_provider(http), http=http)
