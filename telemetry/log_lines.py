"""What each log line of an activity carries: the ids of subscription, request and attempt; never a name or a key."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import structlog
from temporalio import activity, worker

log = logging.getLogger("activities")


class LogLines(worker.Interceptor):
    """Binds the ids to all that is logged while an activity runs, and logs its end."""

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        """Wrap every attempt."""
        return _Bound(next)


class _Bound(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        """Run the attempt; its failure is logged by its kind, for the SDK logs the rest."""
        info = activity.info()
        ids = {
            "activity": info.activity_type,
            "workflow_id": info.workflow_id,
            "run_id": info.workflow_run_id,
            "attempt": info.attempt,
            "subscription_id": subscription_of(info.workflow_id or "", input.args),
            "request_id": request_of(input.args),
        }
        began = perf_counter()
        with structlog.contextvars.bound_contextvars(**{name: i for name, i in ids.items() if i}):
            try:
                answer = await super().execute_activity(input)
            except BaseException as failed:
                _tell("not done", began, failure=type(failed).__name__)
                raise
            _tell("done", began)
            return answer


def subscription_of(workflow_id: str, arguments: Sequence[object]) -> str:
    """The subscription that an activity is about: its message says, else the workflow's id does."""
    kind, _, subject = workflow_id.partition("/")
    said = (getattr(argument, "subscription_id", "") for argument in arguments)
    return next((text for text in said if text), subject if kind == "subscription" else "")


def request_of(arguments: Sequence[object]) -> str:
    """The id of the request that an activity serves, where one does: it is in the message that came with it."""
    for argument in arguments:
        for name in ("decision", "request", "report"):
            if request_id := getattr(getattr(argument, name, None), "request_id", ""):
                return str(request_id)
    return ""


def _tell(event: str, began: float, **facts: str) -> None:
    with structlog.contextvars.bound_contextvars(ms=round((perf_counter() - began) * 1000, 1), **facts):
        log.info(event)
