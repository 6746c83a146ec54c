"""Cancel and resume: when the server received the request (R3), and writing down what was decided (R29)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from activities import letters
from db import audit, notices, subscriptions
from domain.decisions import Outcome
from domain.tasks import DecisionRecord, Receipt, ReceiptQuestion, RefusalRecord

SIGNALLED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
CANCEL_REQUESTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED


class EventNotFound(LookupError):
    """The history does not show the event yet, or no longer."""


@dataclass(frozen=True)
class DecisionActivities:
    """Asks the server about requests and records decisions."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client

    @activity.defn
    async def receipt(self, question: ReceiptQuestion) -> Receipt:
        """The event time of that very request in the workflow's own history: received, not handled (R3)."""
        handle = self.client.get_workflow_handle(question.workflow_id, run_id=question.run_id)
        ordinal = 0
        async for event in handle.fetch_history_events():
            if not await self._is_asked_for(event, question):
                continue
            ordinal += 1
            if ordinal == question.ordinal:
                return Receipt(received_at=event.event_time.ToDatetime(tzinfo=UTC), identity=_identity(event))
        raise EventNotFound(
            f"{question.signal or 'cancel request'} {question.ordinal} of run {question.run_id}"
        )

    async def _is_asked_for(self, event: HistoryEvent, question: ReceiptQuestion) -> bool:
        if question.signal is None:
            return event.event_type == CANCEL_REQUESTED
        if event.event_type != SIGNALLED:
            return False
        signalled = event.workflow_execution_signaled_event_attributes
        return signalled.signal_name == question.signal and await self._is_readable(signalled.input.payloads)

    async def _is_readable(self, payloads: Iterable[Payload]) -> bool:
        """A signal that cannot be decoded is dropped before the workflow counts it, so it is not counted here."""
        try:
            await self.client.data_converter.decode(list(payloads))
        except Exception:  # whatever a converter or codec may raise: the SDK drops the signal for any of it
            activity.logger.warning("a signal in the history cannot be decoded", exc_info=True)
            return False
        return True

    @activity.defn
    async def write_down(self, record: DecisionRecord) -> None:
        """Audit the decision, show it in the row, tell the customer (R7–R10, R29); safe to run again."""
        decision = record.decision
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, record.subscription_id, lock=True)
            row = held.subscription
            row.state, row.auto_renew, row.ends_after_next = (
                record.state,
                record.auto_renew,
                record.ends_after_next,
            )
            await audit.record(
                session,
                actor=decision.by,
                action=decision.kind,
                subject=record.subscription_id,
                at=record.at,
                reason=record.reason or None,
                details=decision.model_dump(mode="json"),
                key=f"{record.subscription_id}/{decision.kind}/{_told_apart(record)}",
            )
            if decision.outcome != Outcome.NO_CHANGE:
                await notices.tell(
                    session,
                    kind=f"{decision.kind}_{decision.outcome}",
                    customer_id=held.customer.id,
                    subscription_id=row.id,
                    term_expires_on=record.term.expires_on,
                    subject=_told_apart(record),
                    facts={**letters.held_facts(held), "decision": decision.model_dump(mode="json")},
                    at=record.at,
                )

    @activity.defn
    async def refuse(self, record: RefusalRecord) -> None:
        """Audit a signal that could not be taken (R29)."""
        async with self.sessions.begin() as session:
            await audit.record(
                session,
                actor="unknown",
                action="refused_signal",
                subject=record.subscription_id,
                at=record.refused.at,
                reason=record.refused.reason,
                details={"signal": record.refused.signal},
                key=f"{record.subscription_id}/refused/{record.key or record.refused.at.isoformat()}",
            )


def _told_apart(record: DecisionRecord) -> str:
    """A request is answered once, by letter too; another of the same kind is another, even at the same instant."""
    return record.decision.request_id or record.key or record.decision.received_at.isoformat()


def _identity(event: HistoryEvent) -> str:
    if event.event_type == CANCEL_REQUESTED:
        return event.workflow_execution_cancel_requested_event_attributes.identity
    return event.workflow_execution_signaled_event_attributes.identity
