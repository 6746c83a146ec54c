"""The clocks of workflows, moved forward although servers and workers come and go meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

LOOK_AGAIN_SECONDS = 20.0
"""A move that has not come to its end by then is looked at anew: the server may have forgotten who was waiting."""
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 240.0
"""Longer than an activity may be under way when its worker is killed, several times over."""
AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
BUSY = (
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.INTERNAL,
)
PASSING = (*AWAY, *BUSY)


class Stuck(Exception):
    """A workflow's time does not pass any more: something waits for ever."""


class Clock:
    """Reads and moves the clock of any workflow; what the server says counts, nothing is remembered here."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))

    async def now(self, workflow_id: str) -> datetime | None:
        """What the clock shows; None if the workflow has ended. Waits while the server is away."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                described = await self._client.get_workflow_handle(workflow_id).describe(
                    rpc_timeout=timedelta(seconds=10)
                )
            except RPCError as failed:
                if failed.status not in PASSING or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if described.status != WorkflowExecutionStatus.RUNNING:
                return None
            extended = described.raw_description.workflow_extended_info
            if not extended.HasField("time_skipping_info"):
                return datetime.now(UTC)
            return extended.time_skipping_info.current_time.ToDatetime(tzinfo=UTC)

    async def advance(self, workflow_id: str, to: datetime) -> bool:
        """Let time pass up to the instant, with whatever falls due on the way; False if the workflow ended.

        Raises Stuck.
        """
        handle = self._client.get_workflow_handle(workflow_id)
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        seen = None
        while (shown := await self.now(workflow_id)) is not None and shown < to:
            if seen is None or shown - seen > timedelta(minutes=10):  # it moves
                seen, deadline = shown, asyncio.get_running_loop().time() + PATIENCE_SECONDS
            if asyncio.get_running_loop().time() > deadline:
                raise Stuck(
                    f"{workflow_id} stays at {shown:%Y-%m-%d %H:%M:%S} on its way to {to:%Y-%m-%d %H:%M}"
                )
            try:
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await self._skipper.fast_forward(handle, to - shown)
            except (TimeoutError, RuntimeError):
                pass  # looked at anew
            except RPCError as failed:
                if failed.status not in (
                    *PASSING,
                    RPCStatusCode.NOT_FOUND,
                    RPCStatusCode.FAILED_PRECONDITION,
                ):
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        return shown is not None
