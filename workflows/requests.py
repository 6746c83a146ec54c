"""Cancel and resume, however they come: as a signal typed by hand, an update, or Temporal's own cancel button.

Requests are answered one at a time in the order in which they came. What is not understood is refused, remembered
and audited; it never fails a workflow task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.decisions import DecisionActivities
    from domain import decisions, mistakes, term
    from domain.decisions import Renewing, TermOver
    from domain.messages import Cancel, Decision, Message, Refused, Resume, State
    from domain.tasks import DecisionRecord, Receipt, ReceiptQuestion, RefusalRecord
    from workflows.standing import Standing
    from workflows.steps import SOMEBODY_WAITS, call, record

Parsed = TypeVar("Parsed", bound=Message)

CANCEL_BUTTON = None
"""Stands for the name of a signal where the request was Temporal's own cancel request."""


@dataclass
class Arrival:
    """How a request came: when this worker took it up and, unless it was an update, which event of the run it is.

    `key` stays the same when a crash has it taken up again, at another instant.
    """

    handled_at: datetime
    key: str
    event: ReceiptQuestion | None = None


class Requests:
    """Answers one subscription's requests."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._arrived: Counter[str] = Counter()
        self._refused = 0
        self._button_answered = False

    @property
    def button_waits(self) -> bool:
        """Temporal's cancel request has come and is not answered yet."""
        return workflow.cancellation_reason() is not None and not self._button_answered

    async def signalled(
        self, name: str, kind: type[Cancel] | type[Resume], payloads: Sequence[object]
    ) -> None:
        """Take a signal; a bad payload is refused."""
        self._arrived[name] += 1
        arrival = _arrival(name, self._arrived[name])
        try:
            request = parse(kind, payloads)
            await self._answer(request, arrival)
        except (mistakes.NotUnderstood, TermOver) as wrong:
            await self.refuse(name, str(wrong))

    async def button_pressed(self) -> None:
        """Take Temporal's own cancel request as a `cancel` by whoever sent it."""
        try:
            await self._answer(
                Cancel(reason=workflow.cancellation_reason() or ""), _arrival(CANCEL_BUTTON, 1)
            )
        finally:
            self._button_answered = True

    async def updated(self, request: Cancel | Resume) -> Decision:
        """Answer an update. Raises ApplicationError `TermOver` when there is nothing left to resume."""
        try:
            return await self._answer(request, _arrival_of_update())
        except TermOver as over:
            raise ApplicationError(str(over), type="TermOver", non_retryable=True) from over

    async def refuse(self, signal: str, reason: str) -> None:
        """Remember and audit a signal that could not be taken."""
        refused = Refused(at=workflow.now(), signal=signal, reason=reason)
        self._refused += 1
        self._standing.refused(refused)
        await record(
            DecisionActivities.refuse,
            RefusalRecord(
                subscription_id=self._standing.life.subscription_id,
                refused=refused,
                key=f"{workflow.info().run_id}/{self._refused}",
            ),
            f"audit the refused signal {signal}",
        )

    async def _answer(self, request: Cancel | Resume, arrival: Arrival) -> Decision:
        async with self._standing.turnstile:
            known = self._standing.answer_to(request.request_id)
            if known is not None:
                return known
            receipt = await self._receipt(request, arrival)
            decision, wish = self._decide(request, receipt)
            changes = self._changes(wish)
            self._standing.answered(decision, **changes)
            life = self._standing.life
            await record(
                DecisionActivities.write_down,
                DecisionRecord(
                    subscription_id=life.subscription_id,
                    term=life.term,
                    decision=decision,
                    reason=request.reason if isinstance(request, Cancel) else "",
                    state=life.state,
                    auto_renew=life.auto_renew,
                    ends_after_next=life.ends_after_next,
                    at=arrival.handled_at,
                    key=arrival.key,
                ),
                f"write down: {decision.kind} {decision.outcome}",
            )
            return decision

    async def _receipt(self, request: Cancel | Resume, arrival: Arrival) -> Receipt:
        """When the request was received (R3): handled before the cut-off it came before it; else the server knows."""
        in_time = arrival.handled_at < self._standing.life.plan.cancel_until
        if arrival.event is None or (in_time and request.by):
            return Receipt(received_at=arrival.handled_at, identity=request.by)
        label = "when did the server receive it?"
        return await call(DecisionActivities.receipt, arrival.event, label, SOMEBODY_WAITS)

    def _decide(self, request: Cancel | Resume, receipt: Receipt) -> tuple[Decision, Renewing]:
        life = self._standing.life
        wish = Renewing(life.auto_renew, life.ends_after_next)
        next_expires_on = term.next_term(life.term, life.months, life.anchor_day).expires_on
        about = (wish, life.plan, life.term, next_expires_on, receipt.received_at)
        settled = life.state == State.UPDATING
        if isinstance(request, Cancel):
            verdict = decisions.decide_cancel(*about, renewal_settled=settled, renewed=life.renewed)
        else:
            verdict = decisions.decide_resume(*about, renewal_settled=settled)
        decision = Decision(
            kind="cancel" if isinstance(request, Cancel) else "resume",
            outcome=verdict.outcome,
            received_at=verdict.received_at,
            cancel_by=verdict.cancel_by,
            effective_on=verdict.effective_on,
            by=request.by or receipt.identity or "unknown",
            request_id=request.request_id,
            sentence=verdict.sentence,
        )
        return decision, verdict.wish

    def _changes(self, wish: Renewing) -> dict[str, object]:
        """The life's fields for a new standing wish; a state other than active or cancelled is not touched by it."""
        fields: dict[str, object] = {"auto_renew": wish.auto_renew, "ends_after_next": wish.ends_after_next}
        if self._standing.life.state in (State.ACTIVE, State.CANCELLED, State.REFUSED):
            fields["state"] = State.ACTIVE if wish.auto_renew else State.CANCELLED
        return fields


def parse(kind: type[Parsed], payloads: Sequence[object]) -> Parsed:
    """The message a signal carries; none at all means the empty one. Raises NotUnderstood, written for the sender."""
    if len(payloads) > 1:
        raise mistakes.NotUnderstood(f"one JSON object is expected, {len(payloads)} values came")
    try:
        return kind.model_validate(payloads[0] if payloads and payloads[0] is not None else {})
    except ValidationError as wrong:
        raise mistakes.not_understood(kind, wrong) from None


def asked(kind: type[Parsed], payloads: Sequence[object]) -> Parsed:
    """The message an update carries. Raises ApplicationError `NotUnderstood`, which is its answer."""
    try:
        return parse(kind, payloads)
    except mistakes.NotUnderstood as wrong:
        raise ApplicationError(str(wrong), type="NotUnderstood", non_retryable=True) from wrong


def _arrival(signal: str | None, ordinal: int) -> Arrival:
    info = workflow.info()
    return Arrival(
        workflow.now(),
        f"{info.run_id}/{signal or 'cancel request'}/{ordinal}",
        ReceiptQuestion(workflow_id=info.workflow_id, run_id=info.run_id, signal=signal, ordinal=ordinal),
    )


def _arrival_of_update() -> Arrival:
    info = workflow.current_update_info()
    return Arrival(workflow.now(), f"{workflow.info().run_id}/update/{info.id if info else ''}")
