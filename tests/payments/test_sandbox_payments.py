"""The sandbox provider as a program: shaped as Stripe, durable, easy to stop, and as documented."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any, get_args

import httpx
import pytest
import stripe

from payments.charge import Charge, Charged
from payments.payment_provider import PaymentUnavailable
from payments.stripe_provider import StripeProvider
from payments.webhooks import READERS, ChargeSettled
from sandbox.payments_cards import CARDS
from sandbox.serving import ROOT
from tests.payments.running import (
    PATIENCE_SECONDS,
    RETURN_URL,
    Sandbox,
    charge_of,
    new_key,
    new_payer,
    provider_on,
    receiving,
)

PAGE = (ROOT / "docs" / "payments-sandbox.md").read_text()
BEARER = {"Authorization": "Bearer sk_test_contract"}
SHAPES: dict[str, Any] = {
    "customers": stripe.Customer,
    "payment_methods": stripe.PaymentMethod,
    "payment_intents": stripe.PaymentIntent,
    "charges": stripe.Charge,
    "refunds": stripe.Refund,
    "setup_intents": stripe.SetupIntent,
    "checkout/sessions": stripe.checkout.Session,
    "events": stripe.Event,
}


async def test_what_was_answered_survives_a_kill(
    own_sandbox: Sandbox, client: httpx.AsyncClient, before: datetime
):
    """Killed in the middle of 100 charges, ten at a time: each that was answered is there, and none is there twice."""
    provider = provider_on(own_sandbox.url, client)
    page = await provider.setup_page(new_payer(), RETURN_URL)
    customer = page.customer_reference
    charges = [charge_of(customer, payment_method="pm_card_visa") for _ in range(100)]
    answered: dict[str, Charged] = {}
    ten = asyncio.Semaphore(10)

    async def attempt(number: int) -> None:
        async with ten:
            with suppress(PaymentUnavailable):
                await take(charges[number])

    async def take(charge: Charge) -> None:
        charged = await provider.charge(charge)
        assert isinstance(charged, Charged)
        answered[charge.key] = charged
        if len(answered) == 25:
            own_sandbox.program.kill()

    await asyncio.gather(*map(attempt, range(len(charges))))
    await own_sandbox.program.start()

    assert 25 <= len(answered) < len(charges)
    for key, charged in answered.items():
        assert await provider.find(key, customer, before) == charged
    for charge in charges:
        assert isinstance(await provider.charge(charge), Charged)
    record = await own_sandbox.charges(customer)
    assert sorted(tried["metadata"]["evergreen_key"] for tried in record) == sorted(
        charge.key for charge in charges
    )
    assert {tried["status"] for tried in record} == {"succeeded"}


async def test_an_event_that_was_owed_is_delivered_after_a_kill(
    own_sandbox: Sandbox, client: httpx.AsyncClient
):
    async with receiving(own_sandbox) as receiver:
        await own_sandbox.fault("webhook_off", None)
        page = await provider_on(own_sandbox.url, client).setup_page(new_payer(), RETURN_URL)
        customer = page.customer_reference
        await provider_on(own_sandbox.url, client).charge(charge_of(customer, payment_method="pm_card_visa"))
        own_sandbox.program.kill()
        await own_sandbox.program.start()

        await receiver.until(customer, 1, ChargeSettled)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_asked_even_with_a_slow_call_open(
    own_sandbox: Sandbox, client: httpx.AsyncClient, number: signal.Signals
):
    await own_sandbox.fault("slow", None, times=1, seconds=60)
    call = asyncio.create_task(provider_on(own_sandbox.url, client).withdraw("pi_1"))
    while await own_sandbox.control("GET", "/sandbox/faults"):  # until the call has arrived
        await asyncio.sleep(0.02)

    assert await own_sandbox.signal(number) == 0
    with pytest.raises(PaymentUnavailable):
        await call


async def test_its_objects_have_the_shape_that_stripe_s_sdk_knows(
    provider: StripeProvider, client: httpx.AsyncClient, sandbox: Sandbox
):
    """No field that Stripe has not, none missing that Stripe always has."""
    async with receiving(sandbox):
        saved = await provider.save_card(new_payer(), "pm_card_visa")
        customer = saved.customer_reference  # type: ignore[union-attr]  # it pays
        await provider.charge(charge_of(customer))
        await provider.charge(charge_of(customer, payment_method="pm_card_chargeDeclined"))
        await provider.charge(charge_of(customer, payment_method="pm_card_authenticationRequired"))
        page = await provider.setup_page(new_payer(), RETURN_URL)
        await client.post(page.url, data={"card": "pm_card_visa"})
    session = await _get(client, f"{sandbox.url}/v1/checkout/sessions/{page.url.rsplit('/', 1)[1]}")
    setup = await _get(client, f"{sandbox.url}/v1/setup_intents/{session['setup_intent']}")
    found = {"checkout/sessions": [session], "setup_intents": [setup]}
    for name in SHAPES.keys() - found.keys() - {"refunds"}:
        found[name] = (await _get(client, f"{sandbox.url}/v1/{name}?limit=10"))["data"]

    for name, things in found.items():
        assert things
        for thing in things:
            _fits(SHAPES[name], thing, name)


async def test_a_repeat_is_answered_as_the_first_time_and_says_so(
    client: httpx.AsyncClient, sandbox: Sandbox
):
    url, key = f"{sandbox.url}/v1/customers", new_key()
    headers = BEARER | {"Idempotency-Key": key}

    first = await client.post(url, headers=headers, data={"name": "Jo", "metadata[a]": "b"})
    again = await client.post(url, headers=headers, data={"metadata[a]": "b", "name": "Jo"})
    other = await client.post(url, headers=headers, data={"name": "Joe"})

    assert (again.status_code, again.content) == (200, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


@pytest.mark.parametrize(
    ("path", "given", "status", "code"),
    [
        ("payment_intents", {"currency": "gbp"}, 400, "parameter_missing"),
        ("payment_intents", {"amount": "1e2", "currency": "gbp"}, 400, "parameter_invalid_integer"),
        ("payment_intents", {"amount": "100", "currency": "gbp", "foo": "1"}, 400, "parameter_unknown"),
        ("payment_intents", {"amount": "29", "currency": "gbp"}, 400, "amount_too_small"),
        ("payment_intents", {"amount": "100000000", "currency": "gbp"}, 400, "amount_too_large"),
        (
            "payment_intents",
            {"amount": "100", "currency": "gbp", "payment_method_types[]": "card"},
            400,
            "payment_method_types_no_longer_supported",
        ),
        ("payment_intents/pi_nothing/confirm", {}, 404, "resource_missing"),
        ("customers/cus_nobody", {}, 404, "resource_missing"),
        ("nothing_like_that", {}, 404, None),
    ],
)
async def test_what_is_malformed_is_refused_as_stripe_does(
    client: httpx.AsyncClient,
    sandbox: Sandbox,
    path: str,
    given: dict[str, str],
    status: int,
    code: str | None,
):
    answer = await client.post(f"{sandbox.url}/v1/{path}", headers=BEARER, data=given)

    assert (answer.status_code, answer.json()["error"].get("code")) == (status, code)
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_secret_key_of_the_test_mode_is_asked_for(client: httpx.AsyncClient, sandbox: Sandbox):
    url = f"{sandbox.url}/v1/customers"

    assert (await client.get(url)).status_code == 401
    assert (await client.get(url, headers={"Authorization": "Bearer sk_live_x"})).status_code == 401
    assert (await client.get(url, auth=("sk_test_x", ""))).status_code == 200  # as `curl -u` has it


async def test_lists_are_paged_both_ways_and_filtered_by_time(
    provider: StripeProvider, client: httpx.AsyncClient, sandbox: Sandbox, customer: str
):
    for _ in range(5):
        await provider.charge(charge_of(customer))
    url = f"{sandbox.url}/v1/payment_intents?customer={customer}&limit=2"

    newest = await _get(client, url)
    older = await _get(client, f"{url}&starting_after={newest['data'][1]['id']}")
    back = await _get(client, f"{url}&ending_before={older['data'][0]['id']}")

    assert [page["has_more"] for page in (newest, older, back)] == [True, True, False]
    assert back["data"] == newest["data"]
    created = newest["data"][0]["created"]
    assert (await _get(client, f"{url}&created[gt]={created}"))["data"] == []
    assert (await _get(client, f"{url}&created[lte]={created}"))["data"] == newest["data"]
    expanded = await _get(client, f"{url}&expand[]=data.latest_charge")
    assert expanded["data"][0]["latest_charge"]["payment_intent"] == newest["data"][0]["id"]


async def test_a_taken_port_ends_it_with_an_error(sandbox: Sandbox, tmp_path):
    port = sandbox.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "sandbox.payments", "--port", port, "--data", str(tmp_path / "other.db")]
    ended = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, timeout=PATIENCE_SECONDS, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.decode() == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


async def test_the_help_teaches_every_control_fault_and_card(sandbox: Sandbox):
    command = [sys.executable, "-m", "sandbox.payments", "--help"]
    taught = (
        await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=True)
    ).stdout

    for method, path in await _served(sandbox):
        if path.startswith("/sandbox"):
            assert f"{method:6} {path}" in taught
    for kind in await _fault_kinds(sandbox):
        assert f"\n  {kind} " in taught
    for token in CARDS:
        last = token.rpartition("chargeDeclined")[2]
        assert token in taught or f"...{last}" in taught or "debit" in token or "chargeDeclined" in token


async def test_the_page_names_every_endpoint_control_fault_and_event(sandbox: Sandbox):
    for method, path in await _served(sandbox):
        assert f"`{method} {path}`" in PAGE
    for kind in await _fault_kinds(sandbox):
        assert f"| `{kind}` |" in PAGE
    for kind in READERS:
        assert f"`{kind}`" in PAGE


async def _get(client: httpx.AsyncClient, url: str) -> Any:
    answer = await client.get(url, headers=BEARER)
    assert answer.is_success, answer.text
    return answer.json()


async def _served(sandbox: Sandbox) -> list[tuple[str, str]]:
    paths = (await sandbox.control("GET", "/openapi.json"))["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


async def _fault_kinds(sandbox: Sandbox) -> list[str]:
    schemas = (await sandbox.control("GET", "/openapi.json"))["components"]["schemas"]
    return list(schemas["Fault"]["properties"]["kind"]["enum"])


def _fits(shape: Any, thing: dict[str, Any], place: str) -> None:
    """Compare an object with the SDK's class for it, and what is inside likewise."""
    known = shape.__annotations__
    assert thing.keys() <= known.keys(), place
    always = {
        name for name, kind in known.items() if type(None) not in get_args(kind) and name != "OBJECT_NAME"
    }
    assert always <= thing.keys(), place
    for name, value in thing.items():
        inner = [kind for kind in (known[name], *get_args(known[name])) if hasattr(kind, "__annotations__")]
        if isinstance(value, dict) and inner and inner[0].__annotations__:
            assert value.keys() <= inner[0].__annotations__.keys(), f"{place}.{name}"
