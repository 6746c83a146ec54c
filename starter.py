"""The one door into Temporal: cancel, resume, order, pay, tell of money, ask for the status. As a program, the
command line.

    python starter.py --help

Whoever changes a subscription asks its workflow, through here. A question goes as an update, which answers with what
was decided; when no worker takes it up in time it is left as a signal, which the server keeps until one does. What has
no signal is left undone, and says so.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar
from uuid import uuid4

import structlog
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import Priority, WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.messages import (
    TASK_QUEUE,
    AddAddons,
    Cancel,
    ChangeAtRenewal,
    Decision,
    LicenseUpdated,
    OrderAnswer,
    OrderPaid,
    PaymentChanged,
    Resume,
    Status,
    Typed,
    Upgrade,
    card_refund_workflow_id,
    intake_workflow_id,
    refund_workflow_id,
    subscription_workflow_id,
)
from domain.reconciliation import RECONCILIATION_BY_HAND, Reconciled, ReconcileRequest
from domain.tasks import CardRefund, CardRefunds, IntakeRequest, RefundRequest
from workflows.intake import Intake
from workflows.reconciliation import Reconciliation
from workflows.refund import CardRefundNews, Refund
from workflows.subscription import Subscription

ANSWER_WITHIN = timedelta(seconds=8)
"""Taking a request up takes milliseconds; after so long no worker is there, and it is left as a signal."""

CHARGED_WITHIN = timedelta(seconds=30)
"""An order that a card pays is answered when the payment provider has answered."""

SOON, LAST = Priority(priority_key=2), Priority(priority_key=5)
"""In the queue: what staff wait for goes before the day's renewals, an import after them."""

Request = TypeVar("Request", bound=Typed)
Answer = TypeVar("Answer", Decision, OrderAnswer)

log = logging.getLogger("starter")


class NotRunning(LookupError):
    """No workflow of this id runs: the subscription has ended, or was never started."""


class NoWorker(Exception):
    """No worker took the request up and nothing was left behind; the same request may be made again."""


class RefusedByRule(Exception):
    """The workflow said no; the text is its reason."""


@dataclass(frozen=True)
class Taken:
    """What came of a request: the decision, or None when it was left for a worker to decide."""

    decision: Decision | None


@dataclass(frozen=True)
class OrderTaken:
    """What came of a wish to change the license: the answer, or None when it was left for a worker to do."""

    answer: OrderAnswer | None


@dataclass(frozen=True)
class _Question(Generic[Request, Answer]):
    """An update of the subscription workflow, and what is left instead when nobody takes it up."""

    update: str
    answer: type[Answer]
    signal: str | None = None
    within: timedelta = ANSWER_WITHIN


async def cancel(client: Client, subscription_id: str, request: Cancel) -> Taken:
    """Ask for a cancellation (R7, R8). Raises NotRunning, RPCError."""
    return Taken(await _ask(client, subscription_id, _CANCEL, request))


async def resume(client: Client, subscription_id: str, request: Resume) -> Taken:
    """Ask for a renewal after all (R9). Raises NotRunning, RefusedByRule, RPCError."""
    return Taken(await _ask(client, subscription_id, _RESUME, request))


async def add_addons(client: Client, subscription_id: str, request: AddAddons) -> OrderTaken:
    """Order add-ons at exactly their quote, or have one made (R14, R15); a refusal is an answer.

    Raises NotRunning, RPCError.
    """
    return OrderTaken(await _ask(client, subscription_id, _ADD_ADDONS, request))


async def pay(client: Client, subscription_id: str, request: OrderPaid) -> OrderTaken:
    """Pay an open order with credits and the saved card; a refusal is an answer. Raises NotRunning, RPCError."""
    return OrderTaken(await _ask(client, subscription_id, _PAY, request))


async def upgrade(client: Client, subscription_id: str, request: Upgrade) -> OrderTaken:
    """Order another size or edition, to be paid by the customer (R27); a refusal is an answer.

    Raises NotRunning, NoWorker, RPCError.
    """
    return OrderTaken(await _ask(client, subscription_id, _UPGRADE, request))


async def change_at_renewal(client: Client, subscription_id: str, request: ChangeAtRenewal) -> OrderTaken:
    """Say what the next renewal leaves out or makes smaller, instead of what was said before.

    A refusal is an answer. Raises NotRunning, NoWorker, RPCError.
    """
    return OrderTaken(await _ask(client, subscription_id, _CHANGE_AT_RENEWAL, request))


async def report_update(client: Client, subscription_id: str, report: LicenseUpdated) -> None:
    """Bring staff's news of a license update (R23). Raises NotRunning, RPCError."""
    await _leave(_handle(client, subscription_id), "license_updated", report)


async def payment_changed(client: Client, subscription_id: str, by: str) -> None:
    """Tell that a new card or credit is there (R22); an ended subscription does not mind."""
    try:
        await _handle(client, subscription_id).signal(Subscription.payment_changed, PaymentChanged(by=by))
    except RPCError as failed:
        if failed.status != RPCStatusCode.NOT_FOUND:
            raise


async def status(client: Client, subscription_id: str) -> Status:
    """Where the subscription stands, as its workflow sees it. Raises NotRunning, RPCError."""
    try:
        return await _handle(client, subscription_id).query(Subscription.status, rpc_timeout=ANSWER_WITHIN)
    except RPCError as failed:
        raise _not_running(failed, subscription_id) from failed


async def refund(client: Client, request: RefundRequest) -> CardRefunds:
    """Give back an invoice, or part of it (R20); the same reference again joins the refund that there is.

    Raises RefusedByRule, RPCError.
    """
    handle = await client.start_workflow(
        Refund.run,
        request,
        id=refund_workflow_id(request.invoice, request.reference),
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"refund of {request.invoice} by {request.by}",
        priority=SOON,
    )
    try:
        return await handle.result()
    except WorkflowFailureError as failed:
        raise RefusedByRule(_root_of(failed)) from failed


async def is_refund_known(client: Client, request: RefundRequest) -> bool:
    """Whether Temporal has this refund, so that it is carried out whoever waits for it. Raises RPCError."""
    try:
        await client.get_workflow_handle(refund_workflow_id(request.invoice, request.reference)).describe()
    except RPCError as failed:
        if failed.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def refund_news(client: Client, refund: CardRefund, standing: str) -> None:
    """The provider tells how a card refund stands: have it looked at (R20). Raises RPCError."""
    await client.start_workflow(
        CardRefundNews.run,
        refund,
        id=card_refund_workflow_id(refund.payment_id, standing),
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def reconcile(client: Client) -> Reconciled:
    """Compare everything now and wait for what comes of it; one that a person has started before is joined.

    Raises RPCError.
    """
    return await client.execute_workflow(
        Reconciliation.run,
        ReconcileRequest(),
        id=RECONCILIATION_BY_HAND,
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="a reconciliation by hand",
    )


async def start_intake(client: Client, intake_id: str) -> None:
    """Start the workflow that starts an import's subscriptions, before its rows are stored (R26)."""
    await client.start_workflow(
        Intake.run,
        IntakeRequest(intake_id=intake_id),
        id=intake_workflow_id(intake_id),
        task_queue=TASK_QUEUE,
        static_summary="starts what an import has stored",
        priority=LAST,
    )


def _handle(client: Client, subscription_id: str) -> WorkflowHandle[Subscription, object]:
    return client.get_workflow_handle_for(Subscription.run, subscription_workflow_id(subscription_id))


_CANCEL = _Question[Cancel, Decision]("request_cancel", Decision, "cancel")
_RESUME = _Question[Resume, Decision]("request_resume", Decision, "resume")
_ADD_ADDONS = _Question[AddAddons, OrderAnswer]("request_addons", OrderAnswer, "add_addons", CHARGED_WITHIN)
_PAY = _Question[OrderPaid, OrderAnswer]("request_payment", OrderAnswer, "order_paid", CHARGED_WITHIN)
_UPGRADE = _Question[Upgrade, OrderAnswer]("request_upgrade", OrderAnswer)
_CHANGE_AT_RENEWAL = _Question[ChangeAtRenewal, OrderAnswer]("request_change_at_renewal", OrderAnswer)


async def _ask(
    client: Client, subscription_id: str, question: _Question[Request, Answer], request: Request
) -> Answer | None:
    """The answer; None when it is still to come: a worker has taken the request up, or it was left as a signal.

    Should the update arrive besides the signal, its request id tells that the two are one (R10).
    """
    handle = _handle(client, subscription_id)
    if not request.request_id:
        request = request.model_copy(update={"request_id": _new_request_id()})
    _tell(subscription_id, question.update, request.request_id)
    taken_up = False
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            asked = await handle.start_update(
                question.update,
                request,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                result_type=question.answer,
            )
        taken_up = True
        async with asyncio.timeout(question.within.total_seconds()):
            answer: Answer = await asked.result()
            return answer
    except WorkflowUpdateFailedError as failed:
        reason = failed.cause.message if isinstance(failed.cause, ApplicationError) else str(failed.cause)
        raise RefusedByRule(reason) from failed
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as late:
        if taken_up:
            return None
        if question.signal is None:
            raise NoWorker("no worker took the request up in time: make it again, it counts once") from late
        await _leave(handle, question.signal, request)
        return None
    except RPCError as failed:
        raise _not_running(failed, handle.id) from failed


def _tell(subscription_id: str, asks: str, asked_as: str) -> None:
    """Log under which id the workflow is asked: the worker's lines have that, ours the id of the web request."""
    with structlog.contextvars.bound_contextvars(
        subscription_id=subscription_id, asks=asks, asked_as=asked_as
    ):
        log.info("the workflow is asked")


def _new_request_id() -> str:
    """An id of its own (R10); it begins with that of the web request in which it is asked, so that logs lead from one
    to the other.
    """
    asked_in = structlog.contextvars.get_contextvars().get("request_id")
    return f"{asked_in}/{uuid4().hex[:12]}" if asked_in else str(uuid4())


async def _leave(handle: WorkflowHandle[Subscription, object], signal: str, request: Typed) -> None:
    try:
        await handle.signal(signal, request)
    except RPCError as failed:
        raise _not_running(failed, handle.id) from failed


def _root_of(failed: WorkflowFailureError) -> str:
    """The text of the domain error at the bottom of a workflow's failure."""
    cause: BaseException = failed
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return cause.message if isinstance(cause, ApplicationError) else str(cause)


def _not_running(failed: RPCError, name: str) -> Exception:
    """NotRunning if that is what the server means, else the failure itself: the whole namespace may be missing."""
    missing_namespace = any("NamespaceNotFound" in detail.type_url for detail in failed.grpc_status.details)
    if failed.status == RPCStatusCode.NOT_FOUND and not missing_namespace:
        return NotRunning(f"{name} does not run: it has ended, or was not started yet")
    return failed


def main() -> None:
    """The command line."""
    from commands.program import program  # only here: the commands stand on this very module

    program()


if __name__ == "__main__":
    sys.modules.setdefault("starter", sys.modules["__main__"])
    main()
