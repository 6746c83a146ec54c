"""Having a paid license update done: at the vendor's API or by staff, by the promise time, and proved (R23, R24).

One license update at a time, in the order in which they were paid; each has a promise of its own, which is watched
also while it waits for its turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityHandle

with workflow.unsafe.imports_passed_through():
    from activities.billing import BillingActivities
    from activities.collecting import CollectingActivities
    from activities.licensing import LicensingActivities
    from domain.messages import LicenseUpdated, Paid
    from domain.tasks import CardRefund, LicenseChange, OrderNote, Proof, UpdateReport, UpdateStanding
    from workflows.standing import Standing
    from workflows.steps import FOR_EVER, call, fact, is_final, record
    from workflows.waiting import happens_before


class Fulfilment:
    """Updates the license of one subscription."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._queue: list[Paid] = []
        self._told: set[tuple[str, str]] = set()
        self._reports: list[LicenseUpdated] = []
        self._at_hand = False

    @property
    def news_at_hand(self) -> bool:
        """There is news of the update whose turn it is, and it is not written down yet."""
        return self._at_hand or (bool(self._queue) and self._has_news(self._queue[0]))

    def reported(self, report: LicenseUpdated) -> bool:
        """Staff have news of a license update; False if none of this id is owed."""
        owed = (*self._queue, *self._standing.life.open_orders)
        if report.update_id not in (paid.update_id for paid in owed):
            return False
        self._reports.append(report)
        return True

    async def fulfil(self, paid: Paid, write_down: Callable[[Proof], Awaitable[None]]) -> Proof | None:
        """The proof of the update; None when it was refused for good, and the payment is on its way back (R20).

        The next update is reckoned from what this one made of the license, so it waits until that is written down.
        """
        self._queue.append(paid)
        try:
            await self._until(paid, lambda: self._queue[0] is paid)
            standing = UpdateStanding(channel=paid.channel)
            while standing.proof is None and standing.refusal is None:
                standing = await (self._by_api(paid) if standing.channel == "api" else self._by_hand(paid))
            if standing.refusal is not None:
                await self._give_back(paid, standing.refusal)
            elif standing.proof is not None:
                await write_down(standing.proof)
                self._standing.proved(standing.proof)
            return standing.proof
        finally:
            self._at_hand = False
            self._queue.remove(paid)

    async def _by_api(self, paid: Paid) -> UpdateStanding:
        updating = workflow.start_activity_method(
            LicensingActivities.update,
            LicenseChange(order_id=paid.order_id, at=workflow.now()),
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=FOR_EVER,
            summary="update the license at the vendor and read it back",
        )
        while True:
            await self._until(paid, lambda: updating.done() or self._has_news(paid))
            if updating.done():
                self._at_hand = True
                return await _outcome(updating)
            standing = await self._take_news(paid)
            if standing.channel != "api" or standing.proof or standing.refusal:
                updating.cancel()
                return standing

    async def _by_hand(self, paid: Paid) -> UpdateStanding:
        note = self._note(paid, "to be done by hand")
        await record(LicensingActivities.hand_over, note, "put the update into the staff queue")
        await self._until(paid, lambda: self._has_news(paid))
        return await self._take_news(paid)

    async def _until(self, paid: Paid, happened: Callable[[], bool]) -> None:
        """Wait; on the way staff are warned when the promise is near, and told when it is broken (R23)."""
        if paid.warn_at is not None and not await happens_before(paid.warn_at, happened, "promise is near"):
            await self._warn(paid)
        if not await happens_before(paid.promise_at, happened, "promise: the license is updated"):
            await self._break_promise(paid)
            await workflow.wait_condition(happened)

    async def _warn(self, paid: Paid) -> None:
        if self._first_time("warn", paid):
            await record(LicensingActivities.warn, self._note(paid, "the promise is near"), "warn staff")

    async def _break_promise(self, paid: Paid) -> None:
        if not self._standing.life.promise_broken:
            self._standing.change(promise_broken=True, failure="PromiseBroken")
        if self._first_time("flag", paid):
            await record(
                LicensingActivities.flag,
                self._note(paid, "the promise time has passed"),
                "flag the broken promise",
            )

    def _first_time(self, what: str, paid: Paid) -> bool:
        """Whether this run does it for the first time."""
        known = (what, paid.order_id) in self._told
        self._told.add((what, paid.order_id))
        return not known

    def _has_news(self, paid: Paid) -> bool:
        return any(report.update_id == paid.update_id for report in self._reports)

    async def _take_news(self, paid: Paid) -> UpdateStanding:
        report = next(report for report in self._reports if report.update_id == paid.update_id)
        self._reports.remove(report)
        self._at_hand = True
        news = UpdateReport(
            subscription_id=self._standing.life.subscription_id, report=report, at=workflow.now()
        )
        standing = await record(LicensingActivities.take_report, news, "check and write down staff's news")
        self._at_hand = standing.proof is not None or standing.refusal is not None
        return standing

    async def _give_back(self, paid: Paid, reason: str) -> None:
        """The vendor said no for good: refund, tell staff and customer (R20, R23)."""
        back = await record(BillingActivities.give_back, self._note(paid, reason), "give the payment back")
        for payment_id in back.payment_ids:
            refund = CardRefund(payment_id=payment_id, at=workflow.now())
            await call(CollectingActivities.refund_card, refund, "refund the card")
        self._standing.change(failure=reason, promise_broken=False)

    def _note(self, paid: Paid, reason: str) -> OrderNote:
        life = self._standing.life
        return OrderNote(
            subscription_id=life.subscription_id,
            term=life.term,
            order_id=paid.order_id,
            reason=reason,
            at=workflow.now(),
        )


async def _outcome(updating: ActivityHandle[Proof]) -> UpdateStanding:
    try:
        return UpdateStanding(channel="api", proof=await updating)
    except ActivityError as failed:
        if not is_final(failed):
            raise
        return UpdateStanding(channel="api", refusal=fact(failed))
