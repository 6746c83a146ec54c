"""The story of one subscription: its clock is moved from act to act, and each act is done as people do it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

import starter
from chaos.clock import PASSING, PAUSE_SECONDS, Clock
from chaos.journal import Journal
from chaos.plan import Act, License
from config import Settings
from db import customers, grants
from db.models.customer import Customer
from domain.card import Payer
from domain.messages import AddAddons, Cancel, Resume
from payments.charge import Declined
from payments.payment_provider import PaymentError
from starter import NotRunning, NoWorker, RefusedByRule

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Stage:
    """What every story is played on. It reaches the servers directly: trouble on the way is the workers'."""

    client: Client
    sessions: async_sessionmaker[AsyncSession]
    clock: Clock
    journal: Journal
    settings: Settings
    payments_url: str
    http: httpx.AsyncClient


@dataclass
class Story:
    """One subscription and what is done to it."""

    stage: Stage
    license: License
    subscription_id: str
    customer_id: str

    @property
    def workflow_id(self) -> str:
        """The workflow that lives it."""
        return f"subscription/{self.subscription_id}"

    async def play(self, until: datetime, tick: Callable[[], None]) -> None:
        """From act to act, and then to the end of the year. `tick` is told of every step."""
        for number, act in enumerate(self.license.acts):
            if not self.stage.journal.is_done(self.license.key, number):
                await self.stage.clock.advance(self.workflow_id, act.instant)
                await self._do(number, act)
            tick()
        alive = await self.stage.clock.advance(self.workflow_id, until)
        shown = await self.stage.clock.now(self.workflow_id) if alive else None
        at = shown.isoformat() if shown else None
        self.stage.journal.write("over", key=self.license.key, id=self.subscription_id, at=at)
        tick()

    async def _do(self, number: int, act: Act) -> None:
        """Do it, again and again until it is done: the same words each time, so it counts once (R10)."""
        began = self.stage.journal.began(self.license.key, number, await self._clock(act))
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._once(act)
                break
            except (RPCError, DBAPIError, OSError, httpx.TransportError, PaymentError, NoWorker) as failed:
                wrong = isinstance(failed, RPCError) and failed.status not in PASSING
                if wrong or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        until = await self._clock(act)
        self.stage.journal.write(
            "done",
            key=self.license.key,
            act=number,
            kind=act.kind,
            details=act.details,
            id=self.subscription_id,
            begun=began.isoformat(),
            ended=until.isoformat(),
            answer=answer,
        )

    async def _clock(self, act: Act) -> datetime:
        shown = await self.stage.clock.now(self.workflow_id)
        return shown or act.instant  # it has ended: nothing can be received any more

    async def _once(self, act: Act) -> dict[str, Any]:
        try:
            return await self._doing(act)
        except NotRunning:
            return {"outcome": "ended"}
        except RefusedByRule as no:
            return {"outcome": "refused", "reason": str(no)}
        except WorkflowUpdateFailedError as no:
            return {"outcome": "failed", "reason": str(no.cause)}
        except RPCError as failed:
            if failed.status != RPCStatusCode.NOT_FOUND:
                raise
            return {"outcome": "ended"}

    async def _doing(self, act: Act) -> dict[str, Any]:
        ways: dict[str, Callable[[Act], Awaitable[dict[str, Any]]]] = {
            "cancel": self._ask,
            "resume": self._ask,
            "addons": self._ask,
            "cancel_signal": self._signal,
            "resume_signal": self._signal,
            "addons_signal": self._signal,
            "button": self._press,
            "typo": self._mistype,
            "bank_relents": self._relent,
            "new_card": self._save_card,
            "grant": self._grant,
        }
        return await ways[act.kind](act)

    async def _ask(self, act: Act) -> dict[str, Any]:
        """At the one door, as portal and command line do."""
        client, request_id = self.stage.client, act.details["request_id"]
        taken: starter.Taken | starter.OrderTaken
        if act.kind == "cancel":
            request = Cancel(by="customer", reason="chaos", request_id=request_id)
            taken = await starter.cancel(client, self.subscription_id, request)
        elif act.kind == "resume":
            resume = Resume(by="customer", request_id=request_id)
            taken = await starter.resume(client, self.subscription_id, resume)
        else:
            wish = AddAddons(addons=act.details["addons"], by="customer", request_id=request_id)
            taken = await starter.add_addons(client, self.subscription_id, wish)
        answer = taken.decision if isinstance(taken, starter.Taken) else taken.answer
        return {"outcome": "left"} if answer is None else answer.model_dump(mode="json")

    async def _signal(self, act: Act) -> dict[str, Any]:
        """Typed by support."""
        payload = {"by": "support:chaos", **act.details}
        name = {"cancel_signal": "cancel", "resume_signal": "resume", "addons_signal": "add_addons"}[act.kind]
        await self._handle().signal(name, payload)
        return {"outcome": "left"}

    async def _press(self, _act: Act) -> dict[str, Any]:
        """The cancel button of Temporal's own page."""
        await self._handle().cancel()
        return {"outcome": "left"}

    async def _mistype(self, act: Act) -> dict[str, Any]:
        await self._handle().signal(act.details["signal"], args=act.details["payloads"])
        return {"outcome": "left"}

    async def _relent(self, _act: Act) -> dict[str, Any]:
        """The bank behind a card that was declined says yes from now on."""
        async with self.stage.sessions() as session:
            query = select(Customer.provider_customer_id).where(Customer.id == self.customer_id)
            reference = await session.scalar(query)
        if reference is None:
            return {"outcome": "no card was ever tried"}
        wish = {"customer": reference, "answers": "approve"}
        (await self.stage.http.post(f"{self.stage.payments_url}/sandbox/cards", json=wish)).raise_for_status()
        return {"outcome": "accepted"}

    async def _save_card(self, act: Act) -> dict[str, Any]:
        """As the provider's page and its webhook do it: saved there, then here, then the workflows are told."""
        async with self.stage.sessions() as session:
            customer = await customers.find(session, self.customer_id)
        payer = Payer(customer.id, customer.email, customer.name, customer.provider_customer_id)
        saved = await self.stage.settings.payment_provider(self.stage.http).save_card(
            payer, act.details["card"]
        )
        if isinstance(saved, Declined):
            return {"outcome": "declined"}
        async with self.stage.sessions.begin() as session:
            await customers.save_card(session, saved, customer.id)
        await starter.payment_changed(self.stage.client, self.subscription_id, by="customer")
        return {"outcome": "accepted"}

    async def _grant(self, act: Act) -> dict[str, Any]:
        amount_minor = 2_000_000 if self.license.currency != "JPY" else 3_000_000
        async with self.stage.sessions.begin() as session:
            await grants.grant(
                session,
                self.customer_id,
                "promotional",
                amount_minor,
                self.license.currency,
                reference=act.details["reference"],
                reason="chaos",
                by="staff:chaos",
                at=datetime.now(UTC) - timedelta(seconds=1),
            )
        await starter.payment_changed(self.stage.client, self.subscription_id, by="staff:chaos")
        return {"outcome": "accepted", "amount_minor": amount_minor}

    def _handle(self) -> Any:
        return self.stage.client.get_workflow_handle(self.workflow_id)
