"""A customer with one license: what they and staff do, and what became of it here, at the vendor and at the bank."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import select
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

import starter
from db import grants, invoices, subscriptions
from db.identifiers import new_id
from db.models.audit import AuditRecord
from db.models.invoice import Invoice, InvoiceLine
from db.models.license_update import LicenseUpdate
from db.models.notice import Notice
from db.models.order import Order
from db.quotes import Quoting
from db.subscriptions import Held
from domain.messages import (
    AddAddons,
    ChangeAtRenewal,
    LicenseUpdated,
    OrderAnswer,
    OrderPaid,
    Quote,
    State,
    Status,
    Upgrade,
    subscription_workflow_id,
)
from domain.milestones import Milestones
from domain.term import next_term
from tests.orders.world import World

PATIENCE_SECONDS = 30
TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
NEWS_CAME = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
"""Not a failure of ours: a signal came while the run was ending, so the task is done again with it."""


@dataclass
class Customer:
    """Their subscription's workflow, their rows, their license at the vendor, their card at the payment provider."""

    world: World
    began: Held
    license_key: str
    plan: Milestones
    first_run_id: str

    @property
    def id(self) -> str:
        """Of the subscription."""
        return self.began.subscription.id

    @property
    def workflow_id(self) -> str:
        return subscription_workflow_id(self.id)

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(self.workflow_id)

    @property
    def expires_on(self) -> date:
        """The expiry with which it began."""
        return self.began.term.expires_on

    @property
    def next_expires_on(self) -> date:
        """The expiry after one renewal (R1)."""
        return next_term(self.began.term).expires_on

    @property
    def now(self) -> datetime:
        """What the workflow's clock shows."""
        return self.world.clocks.now(self.workflow_id)

    # ---- what is done

    async def at(self, instant: datetime) -> Self:
        """Let its time pass up to the instant; whatever falls due on the way is done."""
        async with asyncio.timeout(2 * PATIENCE_SECONDS):
            await self.world.clocks.advance(self.workflow_id, instant)
        return self

    async def quote(self, *addons: str) -> Quote:
        """Ask for a price, as the portal does."""
        quoting = Quoting(self.world.settings.price_list(), self.world.settings.working_days())
        async with self.world.sessions.begin() as session:
            held = await subscriptions.held(session, self.id)
            return await quoting.quote(session, held, addons, self.now)

    async def buy(self, *addons: str, quote: Quote | None = None, **words: str) -> OrderAnswer:
        """Order add-ons, as the portal and the command line do."""
        if quote is not None:
            words["quote_id"] = quote.quote_id
        request = AddAddons(addons=addons, **{"by": "customer", **words})  # type: ignore[arg-type]
        return _answered(await starter.add_addons(self.world.client, self.id, request))

    async def upgrade(
        self, edition: str, size: str, price_minor: int | None = None, **words: str
    ) -> OrderAnswer:
        """Staff accept another size or edition."""
        request = Upgrade(edition=edition, size=size, price_minor=price_minor, **{"by": "staff:jo", **words})
        return _answered(await starter.upgrade(self.world.client, self.id, request))

    async def pay(self, order_id: str, request_id: str = "") -> OrderAnswer:
        """Pay an open order."""
        request = OrderPaid(order_id=order_id, by="customer", request_id=request_id)
        return _answered(await starter.pay(self.world.client, self.id, request))

    async def at_renewal(
        self, *drop: str, edition: str | None = None, size: str | None = None
    ) -> OrderAnswer:
        """Say what the next renewal leaves out or makes smaller."""
        request = ChangeAtRenewal(drop_addons=drop, edition=edition, size=size, by="customer")
        return _answered(await starter.change_at_renewal(self.world.client, self.id, request))

    async def report(self, update_id: str, **news: Any) -> None:
        """Staff bring news of a license update."""
        report = LicenseUpdated(update_id=update_id, by="staff:jo", **news)
        await starter.report_update(self.world.client, self.id, report)

    async def grant(self, amount_minor: int) -> None:
        """Put credit on the account and tell the workflow."""
        async with self.world.sessions.begin() as session:
            await grants.grant(
                session,
                self.began.customer.id,
                "promotional",
                amount_minor,
                "GBP",
                reference=new_id("reference"),
                reason="a test",
                by="staff:jo",
                at=datetime.now(UTC),
            )
        await starter.payment_changed(self.world.client, self.id, "staff:jo")

    async def card_answers(self, answer: str) -> None:
        """What the saved card answers from now on; it was charged before."""
        saved = {"customer": (await self.row()).customer.provider_customer_id, "answers": answer}
        await self.world.control("payments", "POST", "cards", json=saved)

    async def vendor_trouble(self, kind: str, **fault: Any) -> None:
        """Trouble at the vendor with this license."""
        trouble = {"kind": kind, "license_key": self.license_key, **fault}
        await self.world.control("vendor", "POST", "faults", json=trouble)

    async def vendor_recovers(self) -> None:
        """No trouble any more; whatever waits for its next attempt makes it within the hour."""
        await self.world.control("vendor", "DELETE", "faults")
        await self.at(self.now + timedelta(minutes=15))

    async def leave(self) -> None:
        """End the workflow: the test is over."""
        try:
            await self.handle.terminate("the test is over")
        except RPCError as ended:
            if ended.status != RPCStatusCode.NOT_FOUND:
                raise

    # ---- what became of it

    async def status(self) -> Status:
        return await starter.status(self.world.client, self.id)

    async def until(self, what: str, condition: Callable[[Status], bool]) -> Status:
        """Its status as soon as that is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition(status := await self.status()):
                await asyncio.sleep(0.02)
        return status

    async def eventually(self, what: str, happened: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something that is on its way."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await happened():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited {PATIENCE_SECONDS} s for: {what}") from None

    async def settled(self) -> Status:
        """Its status once all that is paid is done."""
        return await self.until(
            "all is done", lambda status: not status.open_orders and status.state != State.UPDATING
        )

    async def row(self) -> Held:
        async with self.world.sessions() as session:
            return await subscriptions.held(session, self.id)

    async def attributes(self) -> dict[str, object]:
        """Its search attributes, by name."""
        described = await self.handle.describe()
        return {pair.key.name: pair.value for pair in described.typed_search_attributes}

    async def orders(self, kind: str | None = None) -> list[Order]:
        """Its orders, oldest first."""
        query = select(Order).where(Order.subscription_id == self.id).order_by(Order.ordered_at, Order.id)
        async with self.world.sessions() as session:
            return [order for order in await session.scalars(query) if kind in (None, order.kind)]

    async def updates(self) -> list[LicenseUpdate]:
        """The license updates that its orders owed, oldest first."""
        query = (
            select(LicenseUpdate)
            .join(Order, Order.id == LicenseUpdate.order_id)
            .where(Order.subscription_id == self.id)
            .order_by(Order.paid_at, Order.id)
        )
        async with self.world.sessions() as session:
            return list(await session.scalars(query))

    async def invoice(self, order_id: str) -> tuple[Invoice, list[InvoiceLine], int]:
        """The order's invoice, its lines, and what is due on it."""
        async with self.world.sessions() as session:
            invoice, due_minor = await invoices.of_order(session, order_id)
            return invoice, list(await invoices.lines_of(session, invoice.id)), due_minor

    async def notices(self, kind: str | None = None, audience: str = "customer") -> list[Notice]:
        """The notices about it, in the order in which they were written."""
        query = select(Notice).where(Notice.subscription_id == self.id, Notice.audience == audience)
        async with self.world.sessions() as session:
            found = await session.scalars(query.order_by(Notice.id))
            return [notice for notice in found if kind in (None, notice.kind)]

    async def audit(self, action: str) -> list[AuditRecord]:
        """What was written down about it, oldest first."""
        query = select(AuditRecord).where(AuditRecord.subject == self.id, AuditRecord.action == action)
        async with self.world.sessions() as session:
            return list(await session.scalars(query.order_by(AuditRecord.id)))

    async def charges(self) -> list[dict[str, Any]]:
        """What the payment provider tried to take, oldest first."""
        theirs = (await self.row()).customer.provider_customer_id
        if theirs is None:
            return []
        found = await self.world.control("payments", "GET", "charges", params={"customer": theirs})
        return list(found)

    async def taken_minor(self) -> list[int]:
        """The amounts that the payment provider did take, oldest first."""
        return [charge["amount"] for charge in await self.charges() if charge["status"] == "succeeded"]

    async def at_vendor(self) -> dict[str, Any]:
        """The license as it really stands at the vendor."""
        licenses = await self.world.control("vendor", "GET", "licenses")
        return next(license for license in licenses if license["license_key"] == self.license_key)

    async def vendor_orders(self) -> list[dict[str, Any]]:
        """What the vendor carried out, oldest first."""
        made = await self.world.control("vendor", "GET", "orders")
        return [order for order in made if order["license_key"] == self.license_key]

    async def check_no_task_failed(self) -> None:
        """No workflow task failed: nothing nondeterministic, no handler left unfinished, no payload that wedges."""
        failed = [
            event.workflow_task_failed_event_attributes
            for event in await self._events()
            if event.event_type == TASK_FAILED
            and event.workflow_task_failed_event_attributes.cause != NEWS_CAME
        ]
        assert not failed, failed

    async def _events(self) -> list[HistoryEvent]:
        """All events of all its runs."""
        found: list[HistoryEvent] = []
        run_id = self.first_run_id
        while run_id:
            handle = self.world.client.get_workflow_handle(self.workflow_id, run_id=run_id)
            found += [event async for event in handle.fetch_history_events()]
            last = found[-1]
            run_id = (
                last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
                if last.event_type == CONTINUED
                else ""
            )
        return found


def _answered(taken: starter.OrderTaken) -> OrderAnswer:
    assert taken.answer is not None, "no worker answered"
    return taken.answer
