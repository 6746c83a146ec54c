"""The book of subscriptions that a test keeps; of one subscription, what is done to it and what became of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Self

from sqlalchemy import select
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

import starter
from activities import starts
from db import books, grants, intakes, subscriptions
from db.arrivals import Storing
from db.books import GrantStatement
from db.identifiers import new_id
from db.life import life_of
from db.models.audit import AuditRecord
from db.models.notice import Notice
from db.models.order import Order
from db.subscriptions import Held
from domain import intake
from domain.credits import GrantKind
from domain.intake_row import Row
from domain.messages import Cancel, Decision, Ending, Resume, State, Status
from domain.milestones import Milestones, Policy
from domain.term import Term, next_term
from tests.end_to_end.dates import coming
from tests.end_to_end.world import World

RENEWAL_MINOR = 216_00
"""SmarterMail Professional 250: £200.00 less 10 % loyalty, plus 20 % tax."""
PATIENCE = timedelta(seconds=30)
WORKFLOW_TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
SIGNALLED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
CANCEL_REQUESTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
NEWS_CAME = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
"""Not a failure of ours: a signal came while the run was ending, so the task is done again with it."""

numbers = count(1)


async def eventually(
    condition: Callable[[], Awaitable[bool]], what: str, patience: timedelta = PATIENCE
) -> None:
    """Wait for something that is on its way."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            while not await condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {patience.total_seconds():g} s for: {what}") from None


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


@dataclass
class Book:
    """All subscriptions of a test."""

    world: World
    kept: list[Subscribed] = field(default_factory=list)

    async def subscription(
        self,
        expires_on: date | None = None,
        credit_minor: int = RENEWAL_MINOR,
        product: str = "SmarterMail",
        edition: str = "Professional",
        size: str = "250",
        addons: Sequence[str] = (),
        renews_on: date | None = None,
        policy: Policy | None = None,
    ) -> Subscribed:
        """A customer with a license that is registered at the vendor, imported and kept renewed."""
        expires_on = expires_on or coming(8, 31)
        license_key = self.world.vendor.register(
            product=product, edition=edition, size=size, addons=list(addons), expires_on=str(expires_on)
        )
        row = self._row(
            customer_email=f"customer-{next(numbers)}@example.com",
            customer_name="Ann Example",
            country="GB",
            currency="GBP",
            license_key=license_key,
            product=product,
            edition=edition,
            size=size,
            addons=list(addons),
            expires_on=str(expires_on),
            renews_on=str(renews_on or ""),
            opening_credit=f"{credit_minor // 100}.{credit_minor % 100:02}",
        )
        held = await self._stored(row)
        made = await self._started(held, license_key, policy or self.world.settings.policy())
        self.kept.append(made)
        return made

    def mark(self, subscribed: Subscribed, status: str) -> None:
        """Have the vendor mark the license `revoked` or `unknown`, or `active` again."""
        marked = {"license_keys": [subscribed.license_key], "status": status}
        self.world.vendor.control("POST", "/sandbox/licenses/status", json=marked)

    def _row(self, **cells: str | list[str]) -> Row:
        """A row of an import file, checked as any other."""
        line = json.dumps(cells).encode()
        catalogue = self.world.settings.price_list()
        [row] = intake.check_json_lines([line], catalogue, datetime.now(UTC).date())
        assert isinstance(row, Row), row
        return row

    async def _stored(self, row: Row) -> Held:
        storing = Storing(
            intake_id=new_id("imp"),
            filename="book.csv",
            digest=bytes(32),
            requested_by="staff:jo",
            at=datetime.now(UTC),
            key_ring=self.world.settings.key_ring(),
            policy=self.world.settings.policy(),
        )
        async with self.world.sessions.begin() as session:
            await intakes.store(session, storing, [row])
            (held,) = await intakes.not_started(session, storing.intake_id, 2)
            await intakes.mark_started(session, storing.intake_id, [held.subscription.id])
        return held

    async def _started(self, held: Held, license_key: str, policy: Policy) -> Subscribed:
        life = life_of(held, policy)
        assert await starts.start(self.world.client, life)
        workflow_id = f"subscription/{held.subscription.id}"
        described = await self.world.client.get_workflow_handle(workflow_id).describe()
        return Subscribed(
            self.world,
            held.subscription.id,
            held.customer.id,
            license_key,
            held.term,
            life.plan,
            described.run_id,
        )

    async def close(self) -> None:
        """Check what must hold of every story, and let no workflow live on into the next test."""
        try:
            for subscribed in self.kept:
                await subscribed.check_no_task_failed()
            await self.check_ledger()
        finally:
            for subscribed in self.kept:
                await _terminate(subscribed.handle)

    async def check_ledger(self) -> None:
        """The books are whole, and balance in every currency (R17)."""
        async with self.world.sessions() as session:
            assert await books.broken_accounts(session) == []
            totals: dict[str, int] = {}
            for row in await books.trial_balance(session):
                totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
        assert not any(totals.values())


async def _terminate(handle: WorkflowHandle[Any, Any]) -> None:
    try:
        await handle.terminate("the test is over")
    except RPCError as ended:
        if ended.status != RPCStatusCode.NOT_FOUND:
            raise
