"""The sandbox provider as a running program, a receiver of its webhooks, and what tests send."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from domain.card import Payer
from payments import webhooks
from payments.charge import Charge
from payments.stripe_provider import StripeProvider
from payments.stripe_transport import stripe_client
from payments.webhooks import Event
from sandbox.program import Program
from sandbox.serving import Service

PATIENCE_SECONDS = 20.0
RETURN_URL = "http://portal.example/paid?order=1"
WEBHOOK_SECRET = "whsec_for_tests"
PROGRAM = Service("payments", "-m sandbox.payments --port {port} --data {folder}/payments.db", 0)
ONE_CALL = httpx.Limits(max_keepalive_connections=0)  # a connection kept would be dead after a restart
RUN = uuid4().hex[:8]  # keys are for ever, also at a provider that is not started anew for each run
numbers = count(1)


@dataclass
class Sandbox:
    """The program: asked, killed, started again on the same port with the same book."""

    program: Program
    url: str
    client: httpx.AsyncClient

    async def control(self, method: str, path: str, **request: Any) -> Any:
        """Use one of its controls."""
        response = await self.client.request(method, self.url + path, **request)
        assert response.is_success, response.text
        return response.json()

    async def fault(self, kind: str, customer: str | None, **fault: Any) -> None:
        """Make trouble for one customer."""
        await self.control("POST", "/sandbox/faults", json={"kind": kind, "customer": customer} | fault)

    async def charges(self, customer: str) -> list[dict[str, Any]]:
        """What was tried to take from one customer."""
        found = await self.control("GET", "/sandbox/charges", params={"customer": customer})
        return list(found)

    async def signal(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end: the exit code, or minus the signal."""
        pid = self.program.pid
        assert pid is not None
        os.kill(pid, number)
        return await asyncio.wait_for(self.program.ended(), PATIENCE_SECONDS)


@asynccontextmanager
async def running_sandbox(folder: Path) -> AsyncIterator[Sandbox]:
    """The program for the length of a fixture."""
    program, url = await PROGRAM.start(
        log=folder / "log", filled_in={"folder": str(folder)}, env={}, any_ports=True
    )
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, limits=ONE_CALL, trust_env=False) as client:
        yield Sandbox(program, url, client)
    program.kill()


def provider_on(
    api_base: str | None,
    client: httpx.AsyncClient,
    key: str = "sk_test_contract",
    timeout_seconds: float = PATIENCE_SECONDS,
) -> StripeProvider:
    """Our adapter on an address."""
    return StripeProvider(stripe_client(key, client, timeout_seconds, api_base), RETURN_URL)


@dataclass
class Receiver:
    """What a portal does with webhooks, and no more: takes them, or says no."""

    url: str = ""
    answers: list[int] = field(default_factory=list)  # statuses of the next answers; then 200
    bodies: list[tuple[bytes, str]] = field(default_factory=list)
    open: int = 0  # requests that are being answered

    def events(self, customer: str, *kinds: type) -> list[Event]:
        """What arrived and is of use, in order of arrival."""
        read = (
            webhooks.read(body, signed, WEBHOOK_SECRET)
            for body, signed in self.bodies
            if customer in body.decode()
        )
        return [event for event in read if event is not None and (not kinds or isinstance(event, kinds))]

    async def until(self, customer: str, number: int, *kinds: type) -> list[Event]:
        """The same, as soon as there are so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found := self.events(customer, *kinds)) < number:
                await asyncio.sleep(0.02)
        return found

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        self.open += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the sandbox was killed meanwhile
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await reader.readexactly(int(headers["content-length"]))
            status = self.answers.pop(0) if self.answers else 200
            if status == 200:
                self.bodies.append((body, headers["stripe-signature"]))
            writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.open -= 1


@asynccontextmanager
async def receiving(sandbox: Sandbox) -> AsyncIterator[Receiver]:
    """A receiver that the sandbox sends its events to."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks"
    async with server:
        await sandbox.control("PUT", "/sandbox/webhook", json={"url": receiver.url, "secret": WEBHOOK_SECRET})
        yield receiver
        # Nothing may come in while the server closes: asyncio would lose that connection, and warn.
        await sandbox.control("PUT", "/sandbox/webhook", json={"url": None})
        while receiver.open:
            await asyncio.sleep(0.01)


def new_key() -> str:
    """A key that was never used."""
    return f"{RUN}/sub-{next(numbers)}/2028-08-31/renewal"


def new_payer() -> Payer:
    """A customer of ours whom nobody knows yet."""
    number = next(numbers)
    return Payer(f"cst-{RUN}-{number}", f"jo-{RUN}-{number}@example.com", "Jo Smith")


def charge_of(customer: str, amount_minor: int = 6049, currency: str = "GBP", **charge: Any) -> Charge:
    """A charge of a customer's default card."""
    given = {"key": new_key(), "description": "SmarterMail, to 31 August 2028"} | charge
    return Charge(customer_reference=customer, amount_minor=amount_minor, currency=currency, **given)


async def seconds_of(work: Any) -> float:
    """How long it takes."""
    began = time.monotonic()
    await work
    return time.monotonic() - began
