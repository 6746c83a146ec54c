"""One license that is kept renewed: how its time passes, and what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import select
from temporalio.client import WorkflowHandle

import starter
from db import subscriptions
from db.models.invoice import Invoice
from db.models.notice import Notice
from db.models.order import Order
from db.models.payment import Payment
from db.subscriptions import Held
from domain.messages import Ending, State, Status
from domain.milestones import Milestones
from domain.term import Term, next_term
from tests.end_to_end.dates import local
from tests.eventually import PATIENCE, eventually
from tests.money.customer import Customer
from tests.money.world import World

RENEWAL_MINOR = 180_00
"""SmarterMail Professional 250: £200.00 less 10 % loyalty, where there is no tax."""


@dataclass
class Subscribed:
    """One license that is kept renewed."""

    world: World
    customer: Customer
    id: str
    license_key: str
    term: Term
    plan: Milestones

    @property
    def workflow_id(self) -> str:
        return f"subscription/{self.id}"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(self.workflow_id)

    @property
    def expires_on(self) -> date:
        """The expiry with which it began."""
        return self.term.expires_on

    @property
    def next_expires_on(self) -> date:
        """The expiry after one renewal (R1)."""
        return next_term(self.term, anchor_day=self.term.expires_on.day).expires_on

    async def at(self, instant: datetime) -> Self:
        """Let its time pass up to the instant; whatever falls due on the way is done."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await self.world.clocks.advance(self.workflow_id, instant)
        return self

    async def days_before_expiry(self, days: int, clock: str = "12:00") -> Self:
        """Let its time pass up to so many days before it expires; below zero after."""
        return await self.at(local(self.expires_on - timedelta(days=days), clock))

    async def status(self) -> Status:
        return await starter.status(self.world.client, self.id)

    async def until(self, state: State) -> Status:
        """Its status once it is in that state."""

        async def reached() -> bool:
            return (await self.status()).state == state

        await eventually(reached, f"{self.id} is {state}")
        return await self.status()

    async def until_renewed(self) -> None:
        """Wait until the license has been renewed once, and that is written down."""

        async def renewed() -> bool:
            row = (await self.row()).subscription
            return row.expires_on == self.next_expires_on

        await eventually(renewed, f"{self.id} is renewed")

    async def ending(self) -> Ending:
        """How its workflow ended."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await self.world.client.get_workflow_handle(self.workflow_id, result_type=Ending).result()

    async def row(self) -> Held:
        async with self.world.sessions() as session:
            return await subscriptions.held(session, self.id)

    async def orders(self) -> list[str]:
        """The states of its orders, oldest first."""
        query = select(Order.state).where(Order.subscription_id == self.id).order_by(Order.id)
        async with self.world.sessions() as session:
            return list(await session.scalars(query))

    async def payments(self, kind: str = "charge") -> list[Payment]:
        """What we wrote down of its charges or refunds, oldest first."""
        query = (
            select(Payment)
            .join(Invoice, Invoice.id == Payment.invoice_id)
            .join(Order, Order.id == Invoice.order_id)
            .where(Order.subscription_id == self.id, Payment.kind == kind)
            .order_by(Payment.recorded_at, Payment.id)
        )
        async with self.world.sessions() as session:
            return list(await session.scalars(query))

    async def notices(self, kind: str, audience: str = "customer") -> list[Notice]:
        """What its customer, or staff, were told of this kind, oldest first."""
        query = select(Notice).where(
            Notice.subscription_id == self.id, Notice.kind == kind, Notice.audience == audience
        )
        async with self.world.sessions() as session:
            return list(await session.scalars(query.order_by(Notice.id)))

    def renewals(self) -> list[tuple[str, str]]:
        """From and to which expiry the vendor has renewed the license, each order once."""
        made = [order for order in self.world.vendor.orders(self.license_key) if order["kind"] == "renewal"]
        return [(order["from_expires_on"], order["to_expires_on"]) for order in made]

    @property
    def one_renewal(self) -> list[tuple[str, str]]:
        """What `renewals` says when the vendor has renewed the license once, from its old expiry."""
        return [(str(self.expires_on), str(self.next_expires_on))]
