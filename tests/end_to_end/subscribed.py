"""One subscription that lives on the real server: what is done to it, and what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self

from sqlalchemy import select
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

import starter
from db import books, grants, subscriptions
from db.books import GrantStatement
from db.identifiers import new_id
from db.models.audit import AuditRecord
from db.models.notice import Notice
from db.models.order import Order
from db.subscriptions import Held
from domain.credits import GrantKind
from domain.messages import Cancel, Decision, Ending, Resume, State, Status
from domain.milestones import Milestones
from domain.term import Term, next_term
from tests.end_to_end.world import World
from tests.eventually import PATIENCE, eventually

RENEWAL_MINOR = 216_00
"""SmarterMail Professional 250: £200.00 less 10 % loyalty, plus 20 % tax."""
WORKFLOW_TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
SIGNALLED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
CANCEL_REQUESTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
NEWS_CAME = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
"""Not a failure of ours: a signal came while the run was ending, so the task is done again with it."""


@dataclass
class Subscribed:
    """One subscription: its workflow, its rows, its license at the vendor."""

    world: World
    id: str
    customer_id: str
    license_key: str
    term: Term
    plan: Milestones
    first_run_id: str

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

    # ---- what is done to it

    async def at(self, instant: datetime) -> Self:
        """Let its time pass up to the instant; whatever falls due on the way is done."""
        async with asyncio.timeout(PATIENCE.total_seconds() * 2):
            await self.world.clocks.advance(self.workflow_id, instant)
        return self

    async def signal(self, name: str, *payloads: object) -> None:
        await self.handle.signal(name, args=payloads)

    async def cancel(self, by: str = "customer", **words: str) -> Decision:
        """Ask to cancel, as portal and command line do."""
        taken = await starter.cancel(self.world.client, self.id, Cancel(by=by, **words))
        assert taken.decision is not None, "no worker answered"
        return taken.decision

    async def resume(self, by: str = "customer", **words: str) -> Decision:
        """Ask to renew after all."""
        taken = await starter.resume(self.world.client, self.id, Resume(by=by, **words))
        assert taken.decision is not None, "no worker answered"
        return taken.decision

    async def press_cancel(self) -> None:
        """Press the cancel button of the Temporal UI."""
        await self.handle.cancel()

    async def grant(self, amount_minor: int, kind: GrantKind = "promotional", tell: bool = True) -> None:
        """Put credit on the customer's account, and tell the workflow as the command does."""
        async with self.world.sessions.begin() as session:
            await grants.grant(
                session,
                self.customer_id,
                kind,
                amount_minor,
                "GBP",
                reference=new_id("reference"),
                reason="a test",
                by="staff:jo",
                at=datetime.now(UTC),
            )
        if tell:
            await starter.payment_changed(self.world.client, self.id, "staff:jo")

    # ---- what became of it

    async def status(self) -> Status:
        return await starter.status(self.world.client, self.id)

    async def answer(self, number: int = 1) -> Decision:
        """The answer to the so-manieth request, once it is decided and written down."""

        async def written() -> bool:
            return len(await self._answers()) >= number

        await eventually(written, f"answer {number} of {self.id}")
        return (await self._answers())[number - 1]

    async def _answers(self) -> list[Decision]:
        query = select(AuditRecord).where(
            AuditRecord.subject == self.id, AuditRecord.action.in_(("cancel", "resume"))
        )
        async with self.world.sessions() as session:
            written = await session.scalars(query.order_by(AuditRecord.id))
            return [Decision.model_validate(record.details) for record in written]

    async def until(self, state: State) -> Status:
        """Its status once it is in that state."""

        async def reached() -> bool:
            return (await self.status()).state == state

        await eventually(reached, f"{self.id} is {state}")
        return await self.status()

    async def ending(self) -> Ending:
        """How its workflow ended."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await self.world.client.get_workflow_handle(self.workflow_id, result_type=Ending).result()

    async def renewed(self) -> Status:
        """Its status once it is in the term after the one with which it began."""

        async def in_the_next_term() -> bool:
            return (await self.status()).term.expires_on == self.next_expires_on

        await eventually(in_the_next_term, f"{self.id} is renewed")
        return await self.status()

    async def row(self) -> Held:
        async with self.world.sessions() as session:
            return await subscriptions.held(session, self.id)

    async def attributes(self) -> dict[str, object]:
        """Its search attributes, by name."""
        described = await self.handle.describe()
        return {pair.key.name: pair.value for pair in described.typed_search_attributes}

    async def orders(self) -> list[Order]:
        """Its orders, oldest first."""
        query = select(Order).where(Order.subscription_id == self.id).order_by(Order.id)
        async with self.world.sessions() as session:
            return list(await session.scalars(query))

    async def audit(self, action: str) -> list[AuditRecord]:
        """What was written down about it, oldest first."""
        query = select(AuditRecord).where(AuditRecord.subject == self.id, AuditRecord.action == action)
        async with self.world.sessions() as session:
            return list(await session.scalars(query.order_by(AuditRecord.id)))

    async def notices(self, audience: str = "customer") -> list[str]:
        """The kinds of the notices about it, in the order in which they were written."""
        query = select(Notice.kind).where(Notice.subscription_id == self.id, Notice.audience == audience)
        async with self.world.sessions() as session:
            return list(await session.scalars(query.order_by(Notice.id)))

    async def statement(self) -> list[GrantStatement]:
        """Its customer's credits, grant by grant."""
        async with self.world.sessions() as session:
            return await books.statement(session, self.customer_id)

    def renewals(self) -> list[tuple[str, str]]:
        """From and to which expiry the vendor has renewed the license, each order once."""
        made = self.world.vendor.orders(self.license_key)
        return [(order["from_expires_on"], order["to_expires_on"]) for order in made]

    @property
    def one_renewal(self) -> list[tuple[str, str]]:
        """What `renewals` says when the vendor has renewed the license once."""
        return [(str(self.expires_on), str(self.next_expires_on))]

    async def runs(self) -> list[list[HistoryEvent]]:
        """The histories of its runs, oldest first."""
        found, run_id = [], self.first_run_id
        while run_id:
            handle = self.world.client.get_workflow_handle(self.workflow_id, run_id=run_id)
            events = [event async for event in handle.fetch_history_events()]
            found.append(events)
            last = events[-1]
            run_id = (
                last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
                if last.event_type == CONTINUED
                else ""
            )
        return found

    async def events(self, *types: EventType.ValueType) -> list[HistoryEvent]:
        """The events of these types over all its runs."""
        return [event for run in await self.runs() for event in run if event.event_type in types]

    async def received(self) -> list[datetime]:
        """When the server received each signal and each press of the button."""
        return [e.event_time.ToDatetime(tzinfo=UTC) for e in await self.events(SIGNALLED, CANCEL_REQUESTED)]

    async def check_no_task_failed(self) -> None:
        """No workflow task failed: nothing nondeterministic, no handler left unfinished, no payload that wedges."""
        failed = [
            event.workflow_task_failed_event_attributes
            for event in await self.events(WORKFLOW_TASK_FAILED)
            if event.workflow_task_failed_event_attributes.cause != NEWS_CAME
        ]
        assert not failed, failed
