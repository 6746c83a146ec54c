"""Comparing our rows with Temporal and with themselves: lost workflows are started anew, all else is written down."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities import payment_reconciliation
from activities.attributes import EXPIRES_ON
from activities.lives import life_again
from activities.starts import start
from activities.till import Till
from db import differences, discrepancies, subscriptions
from domain.differences import Difference, Kind
from domain.messages import Life, subscription_workflow_id
from domain.reconciliation import Batch, BatchDone, Conclusion, Reconciled, Stage

BATCH, PAGES = 500, 20
"""So many subscriptions in one batch; so many pages of as many workflows where only their ids are looked at."""

LONG = timedelta(hours=1)
"""What a step of ours may take at most before it counts as stuck, in wall time; an import's start too."""

UNSENT = timedelta(days=1)
BEAT_SECONDS = 20
BOOKS = "books"
"""The cursor with which the ledger is looked at."""

RUNNING = 'WorkflowType = "Subscription" AND ExecutionStatus = "Running"'
KINDS: dict[Stage, tuple[Kind, ...]] = {
    Stage.UNSETTLED: (Kind.PAYMENT_UNSETTLED,),
    Stage.PAYMENTS: payment_reconciliation.KINDS,
    Stage.MISSING: (Kind.WORKFLOW_MISSING,),
    Stage.STRAYS: (Kind.WORKFLOW_STRAY, Kind.WORKFLOW_AHEAD),
    Stage.LICENSES: (Kind.LICENSE_DIFFERS,),
    Stage.ROWS: (
        Kind.NOTICES_UNSENT,
        Kind.UPDATE_MISSING,
        Kind.UPDATE_LATE,
        Kind.ORDER_STUCK,
        Kind.INVOICE_DIFFERS,
        Kind.TRIAL_BALANCE,
        Kind.LEDGER_BROKEN,
    ),
}
"""What each stage looks for."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Tell the server that we live while one long statement runs."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT_SECONDS)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


@dataclass(frozen=True)
class ReconciliationActivities:
    """Compares and heals, batch by batch; safe to run again."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    till: Till
    at_a_time: int = BATCH
    """Subscriptions in one batch, workflows in one page."""

    @activity.defn
    async def start_missing(self, batch: Batch) -> BatchDone:
        """Subscriptions that should have a workflow and have none: each is started anew from our rows.

        Not one that has ended by itself: then our rows are those of a back-up, and lack how it ended.
        """
        async with self.sessions() as session:
            ids = await discrepancies.should_run(
                session, batch.after, datetime.now(UTC) - LONG, self.at_a_time
            )
        if not ids:
            return BatchDone(checked=0)
        running = await self._running(ids)
        for subscription_id in (one for one in ids if one not in running):
            activity.heartbeat()
            await self._start_if_missing(subscription_id, batch.began_at)
        return BatchDone(checked=len(ids), after=ids[-1])

    async def _running(self, ids: list[str]) -> set[str]:
        """Those that visibility shows as running: it lags behind, so the rest is asked for one by one."""
        first, last = subscription_workflow_id(ids[0]), subscription_workflow_id(ids[-1])
        query = f'{RUNNING} AND WorkflowId BETWEEN "{first}" AND "{last}"'
        return {
            found.id.removeprefix(subscription_workflow_id(""))
            async for found in self.client.list_workflows(query, page_size=self.at_a_time)
        }

    async def _start_if_missing(self, subscription_id: str, at: datetime) -> None:
        state = await self._state(subscription_id)
        if state == "RUNNING":
            return
        ended_by_itself = state == "COMPLETED"  # it wrote that down first: our rows are from before
        async with self.sessions.begin() as session:
            if await discrepancies.has_ended(session, subscription_id):
                return  # it ended between the two looks
            found = Difference(Kind.WORKFLOW_MISSING, subscription_id, {"workflow": state})
            await differences.seen(session, [found], at)
        if ended_by_itself:
            return
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, subscription_id, lock=True)
            life = await life_again(session, held, self.till)
            await start(self.client, life, again=True)
            held.subscription.started_at = held.subscription.started_at or datetime.now(UTC)
            await differences.healed(session, Kind.WORKFLOW_MISSING, subscription_id, at)

    async def _state(self, subscription_id: str) -> str:
        handle = self.client.get_workflow_handle(subscription_workflow_id(subscription_id))
        try:
            status = (await handle.describe()).status
        except RPCError as failed:
            if failed.status != RPCStatusCode.NOT_FOUND:
                raise
            return "NEVER_STARTED"
        return status.name if isinstance(status, WorkflowExecutionStatus) else "UNKNOWN"

    @activity.defn
    async def find_strays(self, batch: Batch) -> BatchDone:
        """Workflows without a row, beside the one that the row means, or in a later term than it: only reported.

        Which of two is the wrong one only a person knows, and terminating cannot be taken back. The cursor is
        the place in visibility's list where the server goes on.
        """
        checked, place = 0, base64.b64decode(batch.after) or None
        for _page in range(PAGES):
            listed = self.client.list_workflows(RUNNING, page_size=self.at_a_time, next_page_token=place)
            await listed.fetch_next_page()
            page, place = listed.current_page or (), listed.next_page_token
            await self._look_at(page, batch.began_at)
            checked += len(page)
            if not place:
                return BatchDone(checked=checked)
        return BatchDone(checked=checked, after=base64.b64encode(place or b"").decode())

    async def _look_at(self, page: Sequence[WorkflowExecution], at: datetime) -> None:
        """A row is written before its workflow goes into the next term, and read here after it: it is never behind."""
        activity.heartbeat()
        prefix = subscription_workflow_id("")
        async with self.sessions.begin() as session:
            ids = [one.id.removeprefix(prefix) for one in page if one.id.startswith(prefix)]
            rows = {prefix + id: until for id, until in (await discrepancies.known(session, ids)).items()}
            for one in page:
                expires_at = one.typed_search_attributes.get(EXPIRES_ON)
                if one.id not in rows:
                    facts = {"subscription": await self._about(one.id)}
                    await differences.seen(session, [Difference(Kind.WORKFLOW_STRAY, one.id, facts)], at)
                elif expires_at is not None and expires_at.date() > rows[one.id]:
                    facts = {"row": str(rows[one.id]), "workflow": str(expires_at.date())}
                    await differences.seen(session, [Difference(Kind.WORKFLOW_AHEAD, one.id, facts)], at)

    async def _about(self, workflow_id: str) -> str:
        """The subscription that it was started for, as its input says."""
        async for event in self.client.get_workflow_handle(workflow_id).fetch_history_events(page_size=1):
            given = event.workflow_execution_started_event_attributes.input.payloads
            try:
                (life,) = await self.client.data_converter.decode(list(given), [Life])
            except Exception:  # whatever a converter or codec may raise: somebody typed this input by hand
                activity.logger.warning("the input of a stray workflow cannot be read", exc_info=True)
                return "unreadable"
            return str(life.subscription_id)
        return "unreadable"

    @activity.defn
    async def look_at_rows(self, batch: Batch) -> BatchDone:
        """What our own tables show: unsent notices, stuck orders, late updates, books that do not balance (R17).

        The books are a batch of their own: they are summed up from the first entry on.
        """
        async with beating(), self.sessions.begin() as session:
            if batch.after == BOOKS:
                found = await discrepancies.in_the_books(session)
            else:
                found = await discrepancies.in_the_rows(session, batch.began_at, datetime.now(UTC) - UNSENT)
            await differences.seen(session, found, batch.began_at)
        return BatchDone(checked=1, after=None if batch.after == BOOKS else BOOKS)

    @activity.defn
    async def conclude(self, conclusion: Conclusion) -> Reconciled:
        """Close what is gone, tell staff of what is new, once, and count."""
        looked_for = [kind for stage in Stage if stage not in conclusion.unchecked for kind in KINDS[stage]]
        async with self.sessions.begin() as session:
            await differences.close_gone(session, looked_for, conclusion.began_at)
            await differences.tell_new(session, conclusion.began_at)
            healed, still_open = await differences.counts(session, conclusion.began_at)
        return Reconciled(
            began_at=conclusion.began_at,
            checked={},
            unchecked=conclusion.unchecked,
            healed=healed,
            open=still_open,
        )
