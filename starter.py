"""The one door into Temporal: cancel, resume, tell of money, ask for the status. As a program, the command line.

    python starter.py --help

Whoever changes a subscription asks its workflow, through here. A question goes as an update, which answers with the
decision; when no worker answers in time it is left as a signal, which the server keeps until one does.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.messages import (
    TASK_QUEUE,
    Cancel,
    CardRefunds,
    Decision,
    IntakeRequest,
    PaymentChanged,
    RefundRequest,
    Resume,
    Status,
    intake_workflow_id,
    refund_workflow_id,
    subscription_workflow_id,
)
from workflows.intake import Intake
from workflows.refund import Refund
from workflows.subscription import Subscription

ANSWER_WITHIN = timedelta(seconds=8)
"""An answer takes milliseconds; after so long no worker is there, and the request is left as a signal."""

Request = TypeVar("Request", Cancel, Resume)


class NotRunning(LookupError):
    """No workflow of this id runs: the subscription has ended, or was never started."""


class RefusedByRule(Exception):
    """The workflow said no; the text is its reason."""


@dataclass(frozen=True)
class Taken:
    """What came of a request: the decision, or None when it was left for a worker to decide."""

    decision: Decision | None


async def cancel(client: Client, subscription_id: str, request: Cancel) -> Taken:
    """Ask for a cancellation (R7, R8). Raises NotRunning, RPCError."""
    handle = _handle(client, subscription_id)
    return await _ask(handle, "request_cancel", "cancel", request)


async def resume(client: Client, subscription_id: str, request: Resume) -> Taken:
    """Ask for a renewal after all (R9). Raises NotRunning, RefusedByRule, RPCError."""
    handle = _handle(client, subscription_id)
    return await _ask(handle, "request_resume", "resume", request)


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
    )
    try:
        return await handle.result()
    except WorkflowFailureError as failed:
        raise RefusedByRule(_root_of(failed)) from failed


async def start_intake(client: Client, intake_id: str) -> None:
    """Start the workflow that starts an import's subscriptions, before its rows are stored (R26)."""
    await client.start_workflow(
        Intake.run,
        IntakeRequest(intake_id=intake_id),
        id=intake_workflow_id(intake_id),
        task_queue=TASK_QUEUE,
    )


def _handle(client: Client, subscription_id: str) -> WorkflowHandle[Subscription, object]:
    return client.get_workflow_handle_for(Subscription.run, subscription_workflow_id(subscription_id))


async def _ask(
    handle: WorkflowHandle[Subscription, object], update: str, signal: str, request: Request
) -> Taken:
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            return Taken(await handle.execute_update(update, request, result_type=Decision))
    except WorkflowUpdateFailedError as failed:
        reason = failed.cause.message if isinstance(failed.cause, ApplicationError) else str(failed.cause)
        raise RefusedByRule(reason) from failed
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        await _leave(
            handle, signal, request
        )  # should the update still arrive: the same request id, the same answer
        return Taken(None)
    except RPCError as failed:
        raise _not_running(failed, handle.id) from failed


async def _leave(handle: WorkflowHandle[Subscription, object], signal: str, request: Request) -> None:
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
    """NotRunning if that is what the server means, else the failure itself."""
    if failed.status == RPCStatusCode.NOT_FOUND:
        return NotRunning(f"{name} does not run: it has ended, or was not started yet")
    return failed


def main() -> None:
    """The command line."""
    from commands.program import program  # only here: the commands stand on this very module

    program()


if __name__ == "__main__":
    sys.modules.setdefault("starter", sys.modules["__main__"])
    main()
