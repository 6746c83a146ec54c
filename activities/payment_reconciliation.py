"""Comparing our payments with the provider's own list, and finding out what nobody has heard of (R20, R25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.collecting import CollectingActivities
from db import differences, discrepancies
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

PAGE = 100


@dataclass(frozen=True)
class PaymentReconciliationActivities:
    """Looks payments up; never charges."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    collecting: CollectingActivities

    @activity.defn
    async def look_up_unsettled(self, batch: Batch) -> BatchDone:
        """Charges whose outcome is not known are looked up and booked; refunds are carried out, once (R25)."""
        async with self.sessions() as session:
            waiting = await discrepancies.unsettled(session, datetime.now(UTC) - LONG)
        for payment in waiting:
            activity.heartbeat()
            found = Difference(Kind.PAYMENT_UNSETTLED, payment.id, {"key": payment.key, "kind": payment.kind})
            async with self.sessions.begin() as session:
                await differences.seen(session, [found], batch.began_at)
            if await self._settled(payment, batch.began_at):
                async with self.sessions.begin() as session:
                    await differences.healed(session, found.kind, found.subject, batch.began_at)
        return BatchDone(checked=len(waiting))

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
        """The provider's list of the last days beside ours; what is open from before stays in view."""
        kinds = (
            Kind.CHARGE_UNKNOWN_HERE,
            Kind.CHARGE_UNKNOWN_THERE,
            Kind.CHARGE_DIFFERS,
            Kind.REFUND_DIFFERS,
        )
        until = datetime.now(UTC) - timedelta(minutes=1)  # what is booked right now may be on one list only
        async with self.sessions() as session:
            oldest = await differences.oldest_open(session, kinds)
        since = min(until, oldest or until) - WINDOW
        references: set[str] = set()
        page: list[SeenCharge] = []
        async for charge in self.collecting.provider.charges_since(since - LONG):
            references.add(charge.reference)
            page.append(charge)
            if len(page) == PAGE:
                await self._compare(page, batch.began_at)
                page = []
        await self._compare(page, batch.began_at)
        await self._compare_ours(since, until, references, batch.began_at)
        return BatchDone(checked=len(references))

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

    async def _compare_ours(
        self, since: datetime, until: datetime, references: set[str], at: datetime
    ) -> None:
        async with self.sessions.begin() as session:
            ours = await discrepancies.charges_between(session, since, until)
            missing = (one for one in ours if one.reference not in references)
            found = [charge_difference(one, None) for one in islice(missing, discrepancies.MOST)]
            await differences.seen(session, [one for one in found if one is not None], at)


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
