"""Comparing our payments with the provider's own list, and finding out what nobody has heard of (R20, R25)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.collecting import CollectingActivities
from db import differences, discrepancies
from db.differences import DIFFERENCE
from db.models.payment import Payment
from domain.differences import Difference, Kind, Taken, charge_difference
from domain.messages import PaymentChanged, subscription_workflow_id
from domain.reconciliation import Batch, BatchDone
from domain.tasks import CardRefund
from payments.charge import SeenCharge

LONG = timedelta(hours=1)
"""After so long in wall time an outcome should be known, and a charge be on both lists."""

WINDOW = timedelta(days=7)
"""So far back both lists are compared: a week of days on which this may have failed to run."""

KINDS = (Kind.CHARGE_UNKNOWN_HERE, Kind.CHARGE_UNKNOWN_THERE, Kind.CHARGE_DIFFERS, Kind.REFUND_DIFFERS)
"""What comparing the lists finds."""

UNSETTLED, AGAIN, TAKEN, PAGE = 100, 100, 1000, 100
"""So many payments are looked up, or looked at again, or compared, in one batch; of the provider's at a time."""


@dataclass(frozen=True)
class PaymentReconciliationActivities:
    """Looks payments up; never charges."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    collecting: CollectingActivities
    at_a_time: int = TAKEN
    """Of our payments in one batch of comparing; the provider's list has about as many."""

    @activity.defn
    async def look_up_unsettled(self, batch: Batch) -> BatchDone:
        """Charges whose outcome is not known are looked up and booked; refunds are carried out, once (R25)."""
        async with self.sessions() as session:
            long_ago = datetime.now(UTC) - LONG
            waiting = await discrepancies.unsettled(session, batch.after, long_ago, UNSETTLED)
        for payment in waiting:
            activity.heartbeat()
            found = Difference(Kind.PAYMENT_UNSETTLED, payment.id, {"key": payment.key, "kind": payment.kind})
            async with self.sessions.begin() as session:
                await differences.seen(session, [found], batch.began_at)
            if await self._settled(payment, batch.began_at):
                async with self.sessions.begin() as session:
                    await differences.healed(session, found.kind, found.subject, batch.began_at)
        more = len(waiting) == UNSETTLED
        return BatchDone(checked=len(waiting), after=waiting[-1].id if more else None)

    async def _settled(self, payment: Payment, at: datetime) -> bool:
        if payment.kind == "refund":
            await self.collecting.refund_card(CardRefund(payment_id=payment.id, at=at))
            return True
        subscription_id = await self.collecting.look_up(payment.id, at)
        if subscription_id is None:
            return False
        await self._tell(subscription_id)
        return True

    async def _tell(self, subscription_id: str) -> None:
        """Its workflow may wait for this money; one that does not run is started anew by a later stage."""
        handle = self.client.get_workflow_handle(subscription_workflow_id(subscription_id))
        try:
            await handle.signal("payment_changed", PaymentChanged(by="evergreen:reconciliation"))
        except RPCError as failed:
            if failed.status != RPCStatusCode.NOT_FOUND:
                raise

    @activity.defn
    async def compare_payments(self, batch: Batch) -> BatchDone:
        """The provider's list of the last days beside ours, slice by slice; then what is open from before.

        The cursor is an instant, then a difference. Ours that are not in the provider's slice are asked for one by
        one: the clocks differ, and a charge may have been tried long after it was written down.
        """
        if batch.after.startswith(DIFFERENCE):
            return await self._look_again(batch)
        until = datetime.now(UTC) - timedelta(minutes=1)  # what is booked right now may be on one list only
        async with self.sessions() as session:
            since = datetime.fromisoformat(batch.after) if batch.after else until - WINDOW
            end = await discrepancies.end_of_slice(session, since, max(since, until), self.at_a_time)
            not_seen = {
                one.reference: one for one in await discrepancies.charges_between(session, since, end)
            }
        last, checked = end >= until, 0
        async for page in _pages(self.collecting.provider.charges_since(since, None if last else end)):
            await self._compare(page, batch.began_at)
            checked += len(page)
            for charge in page:
                not_seen.pop(charge.reference, None)
        await self._ask_for(not_seen.values(), batch.began_at)
        return BatchDone(checked=checked, after=DIFFERENCE if last else end.isoformat())

    async def _look_again(self, batch: Batch) -> BatchDone:
        """At what was found in an earlier run and not in this one: it may be older than the lists."""
        async with self.sessions() as session:
            known = await differences.not_seen_again(session, KINDS, batch.began_at, batch.after, AGAIN)
        for _id, reference in known:
            theirs = await self.collecting.provider.seen(reference)
            if theirs is not None:
                await self._compare([theirs], batch.began_at)
                continue
            async with self.sessions() as session:
                ours = await discrepancies.charges(session, references=[reference])
            await self._ask_for(ours, batch.began_at)
        return BatchDone(checked=len(known), after=known[-1][0] if len(known) == AGAIN else None)

    async def _compare(self, page: list[SeenCharge], at: datetime) -> None:
        activity.heartbeat()
        async with self.sessions.begin() as session:
            ours = await discrepancies.charges(
                session, [one.key for one in page if one.key], [one.reference for one in page]
            )
            by_key = {one.key: one for one in ours}
            by_reference = {one.reference: one for one in ours}
            pairs = [(by_reference.get(one.reference) or by_key.get(one.key), _taken(one)) for one in page]
            found = [charge_difference(mine, theirs) for mine, theirs in pairs if not _in_hand(mine)]
            await differences.seen(session, [one for one in found if one is not None], at)

    async def _ask_for(self, ours: Iterable[Taken], at: datetime) -> None:
        """Compare each with what the provider answers for it."""
        for mine in ours:
            activity.heartbeat()
            theirs = await self.collecting.provider.seen(mine.reference)
            found = charge_difference(mine, None if theirs is None else _taken(theirs))
            if found is not None:
                async with self.sessions.begin() as session:
                    await differences.seen(session, [found], at)


async def _pages(charges: AsyncIterator[SeenCharge]) -> AsyncIterator[list[SeenCharge]]:
    """As many at a time as are compared in one transaction."""
    page: list[SeenCharge] = []
    async for charge in charges:
        page.append(charge)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _in_hand(ours: Taken | None) -> bool:
    """Written down here and not booked yet: its activity, or the look-up of what is unsettled, has it in hand."""
    return ours is not None and not ours.settled


def _taken(charge: SeenCharge) -> Taken:
    return Taken(
        reference=charge.reference,
        key=charge.key,
        amount_minor=charge.amount_minor,
        currency=charge.currency,
        succeeded=charge.status == "succeeded",
        refunded_minor=charge.refunded_minor,
    )
