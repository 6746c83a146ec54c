"""Letting years pass on the real server: each workflow has a clock of its own, which runs on after it was moved."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

AT_ONCE = 16
"""So many clocks are moved at a time; the server is bound by the processor beyond that."""


class VirtualTime:
    """Moves the clocks of workflows forward. The server must have been started with time skipping."""

    def __init__(self, client: Client) -> None:
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
        self._client = client
        self._ahead: defaultdict[str, timedelta] = defaultdict(timedelta)

    def now(self, workflow_id: str) -> datetime:
        """What the workflow's clock shows."""
        return datetime.now(UTC) + self._ahead[workflow_id]

    def begins_anew(self, workflow_id: str) -> None:
        """The workflow was started again: its clock shows the real time."""
        self._ahead.pop(workflow_id, None)

    async def advance(self, workflow_id: str, to: datetime) -> bool:
        """Move one workflow's clock to the instant; False if the workflow ended on the way. Never moves it back."""
        step = to - self.now(workflow_id)
        if step <= timedelta(0):
            return True
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            alive = await self._skipper.fast_forward(handle, step)
        except RPCError as failed:
            if failed.status != RPCStatusCode.NOT_FOUND or workflow_id not in self._ahead:
                raise
            return False  # it was moved to the very instant of its end, and has ended since
        self._ahead[workflow_id] = to - datetime.now(UTC)  # what was done on the way took time of its own
        return alive

    async def advance_all(self, workflow_ids: Iterable[str], to: datetime) -> set[str]:
        """Move many clocks, some at a time; the ids of those workflows that still run."""
        gate = asyncio.Semaphore(AT_ONCE)
        alive: set[str] = set()

        async def advance_one(workflow_id: str) -> None:
            async with gate:
                if await self.advance(workflow_id, to):
                    alive.add(workflow_id)

        async with asyncio.TaskGroup() as group:
            for workflow_id in workflow_ids:
                group.create_task(advance_one(workflow_id))
        return alive
