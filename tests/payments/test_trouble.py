"""When the provider is slow, broken, away or forgetful: what we are told, and what was done (R25)."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import httpx
import pytest

from payments.charge import Charged, Refund
from payments.payment_provider import PaymentMisused, PaymentUnauthorized, PaymentUnavailable
from payments.stripe_provider import StripeProvider
from tests.payments.running import Sandbox, charge_of, new_key, new_payer, provider_on


async def test_a_lost_reply_is_an_unknown_outcome_that_can_be_looked_up(
    provider: StripeProvider, customer: str, sandbox: Sandbox, before: datetime
):
    charge = charge_of(customer)
    await sandbox.fault("lose_reply", customer, times=1)

    with pytest.raises(PaymentUnavailable):
        await provider.charge(charge)

    found = await provider.find(charge.key, customer, before)
    assert isinstance(found, Charged)
    assert await provider.charge(charge) == found
    assert [(tried["status"], tried["repeats"]) for tried in await sandbox.charges(customer)] == [
        ("succeeded", 1)
    ]


@pytest.mark.parametrize("kind", ["fail", "down", "rate_limit"])
async def test_a_provider_in_trouble_is_unavailable_and_has_done_nothing(
    provider: StripeProvider, customer: str, sandbox: Sandbox, before: datetime, kind: str
):
    charge = charge_of(customer)
    await sandbox.fault(kind, customer, times=1, on=["charge"])
    await sandbox.fault(kind, customer, times=1, on=["read"])

    with pytest.raises(PaymentUnavailable):
        await provider.find(charge.key, customer, before)
    with pytest.raises(PaymentUnavailable):
        await provider.charge(charge)

    assert await provider.find(charge.key, customer, before) is None
    assert isinstance(await provider.charge(charge), Charged)


async def test_a_rate_limit_says_how_long_to_wait(provider: StripeProvider, customer: str, sandbox: Sandbox):
    await sandbox.fault("rate_limit", customer, times=1, seconds=7)

    with pytest.raises(PaymentUnavailable) as limited:
        await provider.charge(charge_of(customer))

    assert limited.value.retry_after_seconds == 7


async def test_a_slow_provider_is_given_up_in_time_and_may_do_the_work_all_the_same(
    provider: StripeProvider, client: httpx.AsyncClient, customer: str, sandbox: Sandbox, before: datetime
):
    charge = charge_of(customer)
    await sandbox.fault("slow", customer, times=1, seconds=0.8, on=["charge"])

    began = time.monotonic()
    with pytest.raises(PaymentUnavailable, match=r"within 0\.4 s"):
        await provider_on(sandbox.url, client, timeout_seconds=0.4).charge(charge)
    assert time.monotonic() - began < 5

    async with asyncio.timeout(20):
        while (found := await provider.find(charge.key, customer, before)) is None:
            await asyncio.sleep(0.05)
    assert await provider.charge(charge) == found
    assert len(await sandbox.charges(customer)) == 1


async def test_an_answer_that_drips_is_given_up_in_time(client: httpx.AsyncClient):
    """A time-out per read would wait for this one for ever."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(PaymentUnavailable, match="within"):
            await provider_on(f"http://127.0.0.1:{port}", client, timeout_seconds=0.3).withdraw("pi_1")


async def test_a_provider_that_does_not_run_is_unavailable(client: httpx.AsyncClient):
    with pytest.raises(PaymentUnavailable, match="cannot be reached"):
        await provider_on("http://127.0.0.1:1", client).withdraw("pi_1")


async def test_a_key_that_is_not_accepted_is_no_decline(client: httpx.AsyncClient, sandbox: Sandbox):
    """A setting that is wrong must never look like every customer's card was refused."""
    stranger = provider_on(sandbox.url, client, key="sk_live_wrong")

    for question in (
        stranger.charge(charge_of("cus_1")),
        stranger.find("k", "cus_1", datetime.now(UTC)),
        stranger.save_card(new_payer(), "pm_card_visa"),
    ):
        with pytest.raises(PaymentUnauthorized) as unauthorized:
            await question
        assert not isinstance(unauthorized.value, PaymentMisused)


@pytest.mark.parametrize("key", ["", "sk_test_\nx", "sk_test_ü"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key: str):
    with pytest.raises(ValueError) as refused:
        provider_on(None, httpx.AsyncClient(), key=key)

    assert not key or key not in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html>no such page</html>"),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(402, json=["card_declined"]),
        httpx.Response(402, json={"error": ["card_declined"]}),
        httpx.Response(409, json={"error": {"type": "invalid_request_error"}}),
        httpx.Response(200, text="<html>welcome</html>"),
        httpx.Response(200, json={"object": "payment_intent"}),
        httpx.Response(200, json={"object": "list", "data": None, "has_more": False, "url": "/v1/refunds"}),
        httpx.Response(200, json=None),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
    ],
)
async def test_an_answer_that_is_not_the_provider_s_proves_nothing(answer: httpx.Response):
    """A proxy's 404 is neither 'declined' nor 'never charged'."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
        provider = provider_on("http://stripe.example", client)
        for question in (
            provider.charge(charge_of("cus_1", payment_method="pm_1")),
            provider.find("k", "cus_1", datetime.now(UTC)),
            provider.withdraw("pi_1"),
            provider.refund(Refund(new_key(), "pi_1", 49)),
            provider.find_refund("k", "pi_1"),
            provider.save_card(new_payer(), "pm_card_visa"),
        ):
            with pytest.raises(PaymentUnavailable):
                await question


async def test_no_request_is_sent_twice_and_each_charge_carries_our_key():
    """The SDK would try again by itself, before anything was looked up."""
    requests = []

    def note(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(500, json={"error": {"type": "api_error", "message": "broken"}})

    async with httpx.AsyncClient(transport=httpx.MockTransport(note)) as client:
        charge = charge_of("cus_1", payment_method="pm_1")
        with pytest.raises(PaymentUnavailable):
            await provider_on("http://stripe.example", client).charge(charge)

    assert [request.headers["idempotency-key"] for request in requests] == [charge.key]
    assert requests[0].headers["stripe-version"]
