"""A reply that comes twice is not taken for the answer to the next question (R24, R25)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import httpx
import pytest_asyncio

from chaos.proxy import Proxy, Trouble, tcp
from domain.card import Payer, SavedCard
from payments.charge import Charge, Charged, Declined
from payments.stripe_provider import StripeProvider
from payments.stripe_transport import stripe_client
from tests.payments.running import running_sandbox
from tests.vendor.running import TOKEN, SandboxVendor
from vendor.http import HttpVendor


@pytest_asyncio.fixture(loop_scope="session")
async def on_exit() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_a_doubled_reply_does_not_pay_another_customers_order(tmp_path: Path, on_exit: AsyncExitStack):
    """R25: the bank said no to the second card, whatever came twice before."""
    sandbox = await on_exit.enter_async_context(running_sandbox(tmp_path))
    proxy = await on_exit.enter_async_context(Proxy(tcp(httpx.URL(sandbox.url).port or 0), ()).listening())
    http = await on_exit.enter_async_context(httpx.AsyncClient(trust_env=False))
    client = stripe_client("sk_test_chaos", http, 10, f"http://127.0.0.1:{proxy.port}")
    provider = StripeProvider(client, return_url="http://portal.example")
    rich = await provider.save_card(Payer("cus_rich", "rich@example.com", "Rich"), "pm_card_visa")
    poor = await provider.save_card(
        Payer("cus_poor", "poor@example.com", "Poor"), "pm_card_chargeCustomerFail"
    )
    assert isinstance(rich, SavedCard)
    assert isinstance(poor, SavedCard)

    proxy.arm(Trouble("double"))
    first = await provider.charge(_charge("rich", rich))
    second = await provider.charge(_charge("poor", poor))

    assert isinstance(first, Charged)
    assert isinstance(second, Declined)


async def test_a_doubled_reply_does_not_prove_another_licenses_renewal(
    tmp_path: Path, on_exit: AsyncExitStack
):
    """R24: the answer to a look-up does not say which license it is about."""
    sandbox = SandboxVendor(tmp_path, ["--strict-expiry"])
    sandbox.start()
    on_exit.callback(sandbox.client.close)
    on_exit.callback(sandbox.kill)
    long, short = (sandbox.register(expires_on=f"{year}-08-31") for year in (2030, 2027))
    proxy = await on_exit.enter_async_context(Proxy(tcp(sandbox.port), ()).listening())
    http = await on_exit.enter_async_context(httpx.AsyncClient(trust_env=False))
    vendor = HttpVendor(f"http://127.0.0.1:{proxy.port}", TOKEN, 10, http)

    proxy.arm(Trouble("double"))
    first = await vendor.read(long)
    second = await vendor.read(short)

    assert (first.expires_on, second.expires_on) == (date(2030, 8, 31), date(2027, 8, 31))


def _charge(who: str, card: SavedCard) -> Charge:
    return Charge(
        key=f"sub_{who}/2027-08-31/renewal/1/charge/1",
        customer_reference=card.customer_reference,
        payment_method=card.payment_method,
        amount_minor=225_00,
        currency="EUR",
        description="a renewal",
    )
