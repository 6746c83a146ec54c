"""How a workflow has a step done: a short database transaction near by, a call to the outside as an ordinary activity.

A local activity costs one event instead of three and no round trip through the task queue. If the database does not
answer within seconds the same step goes on as an ordinary activity, so that a long outage neither fills the history
with heartbeats of the workflow task nor hides from operators, who see a pending activity and its last failure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

Request = TypeVar("Request")
Answer = TypeVar("Answer")

BRIEFLY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=1), maximum_attempts=3
)
SOMEBODY_WAITS = Priority(priority_key=1)
"""Before the renewals of the day, of which there may be thousands in the queue."""
FOR_EVER = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=10))


async def record(
    method: Callable[[Any, Request], Awaitable[Answer]], request: Request, summary: str
) -> Answer:
    """One short database transaction. Raises ApplicationError when the activity says that its failure is final."""
    try:
        return await workflow.execute_local_activity_method(
            method,
            request,
            start_to_close_timeout=timedelta(seconds=3),
            schedule_to_close_timeout=timedelta(seconds=8),
            retry_policy=BRIEFLY,
            summary=summary,
        )
    except FailureError as failed:  # from a local activity it comes bare, not wrapped in an ActivityError
        if is_final(failed) or is_cancelled_exception(failed):
            raise
    return await call(method, request, summary)


async def call(
    method: Callable[[Any, Request], Awaitable[Answer]],
    request: Request,
    summary: str,
    priority: Priority = Priority.default,
) -> Answer:
    """One call to the outside, tried until it succeeds or the activity says that its failure is final."""
    return await workflow.execute_activity_method(
        method,
        request,
        start_to_close_timeout=timedelta(seconds=60),
        retry_policy=FOR_EVER,
        summary=summary,
        priority=priority,
    )


def is_final(failed: FailureError) -> bool:
    """Whether the activity itself said that trying again cannot help."""
    said = _said(failed)
    return isinstance(said, ApplicationError) and said.non_retryable


def fact(failed: FailureError) -> str:
    """The name of the domain error behind a final failure, like `UnknownKey`."""
    said = _said(failed)
    return (said.type or "Failure") if isinstance(said, ApplicationError) else "Failure"


def _said(failed: FailureError) -> BaseException | None:
    """What the activity itself raised."""
    return failed.cause if isinstance(failed, ActivityError) else failed
