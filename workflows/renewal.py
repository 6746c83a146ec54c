"""One renewal of one term: collect the money, have the license updated, prove it, begin the next term.

Every step is keyed in our tables, so a run that takes over in the middle simply asks for each step again.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.billing import BillingActivities
    from activities.licensing import LicensingActivities
    from domain import term
    from domain.messages import (
        EndRecord,
        LicenseChange,
        OrderNote,
        Paid,
        Proof,
        Settlement,
        SettleRequest,
        State,
        TermNote,
        TermRecord,
    )
    from workflows.standing import Standing
    from workflows.steps import FOR_EVER, fact, is_final, record
    from workflows.waiting import happens_before


class Renewal:
    """Renews the term that `standing` is in."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._money_came = False

    def money_came(self) -> None:
        """A new card or credit is there: try again now (R22)."""
        self._money_came = True

    async def collect(self) -> Paid | None:
        """Settle (R21) and try again on each day of the schedule and whenever money comes (R22).

        None: the term ended unpaid, and nothing came in the 30 days after it.
        """
        plan = self._standing.life.plan
        while workflow.now() < plan.term_ends_at:
            settlement = await self._settle()
            if settlement.paid is not None:
                return settlement.paid
            self._standing.change(state=State.COLLECTING, failure=settlement.failure)
            next_try = next((at for at in plan.attempts if at > workflow.now()), plan.term_ends_at)
            await happens_before(next_try, lambda: self._money_came, "wait for money until the next attempt")
        return await self._collect_late()

    async def _collect_late(self) -> Paid | None:
        await self._lapse()
        while await happens_before(
            self._standing.life.plan.late_until_at, lambda: self._money_came, "lapsed: a payment still renews"
        ):
            settlement = await self._settle(late=True)
            if settlement.paid is not None:
                return settlement.paid
        return None

    async def _settle(self, late: bool = False) -> Settlement:
        self._money_came = False
        life = self._standing.life
        return await record(
            BillingActivities.settle,
            SettleRequest(
                subscription_id=life.subscription_id,
                term=life.term,
                next_term=self.next_term(),
                round=life.round,
                renews_on=life.plan.renews_on,
                late=late,
                at=workflow.now(),
            ),
            f"settle the renewal of the term to {life.term.expires_on}",
        )

    async def _lapse(self) -> None:
        """Nothing taken, credits given back (R22). A run that takes over a lapsed life does not lapse it again."""
        life = self._standing.life
        if life.state == State.LAPSED:
            return
        note = TermNote(
            subscription_id=life.subscription_id, term=life.term, reason="NotPaidInTime", at=workflow.now()
        )
        await record(BillingActivities.lapse, note, "lapse: give credits back")
        self._standing.change(state=State.LAPSED, round=life.round + 1)

    async def update(self, paid: Paid) -> Proof | None:
        """Have the license updated by the promise time (R23) and proved (R24); None: the vendor's final refusal."""
        self._standing.change(state=State.UPDATING, promise_at=paid.promise_at, failure=None)
        updating = workflow.start_activity_method(
            LicensingActivities.update,
            LicenseChange(order_id=paid.order_id, at=workflow.now()),
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=FOR_EVER,
            summary="update the license at the vendor and read it back",
        )
        try:
            if not await happens_before(paid.promise_at, updating.done, "promise: the license is updated"):
                await self._break_promise(paid)
            return await updating
        except ActivityError as failed:
            if not is_final(failed):
                raise
            await self._give_back(paid, fact(failed))
            return None

    async def _break_promise(self, paid: Paid) -> None:
        self._standing.change(promise_broken=True, failure="PromiseBroken")
        note = self._note("the promise time has passed", paid.order_id)
        await record(LicensingActivities.flag, note, "flag the broken promise")

    async def _give_back(self, paid: Paid, reason: str) -> None:
        """The vendor said no for good: refund, tell staff and customer (R20, R23)."""
        await record(BillingActivities.give_back, self._note(reason, paid.order_id), "give the payment back")
        self._standing.change(
            state=State.REFUSED,
            auto_renew=False,
            failure=reason,
            promise_at=None,
            promise_broken=False,
            round=self._standing.life.round + 1,
        )

    async def conclude(self, paid: Paid, proof: Proof) -> None:
        """Write the proof down and step into the next term; a late cancellation takes effect there (R8)."""
        life = self._standing.life
        plan = await record(
            LicensingActivities.begin_term,
            TermRecord(
                subscription_id=life.subscription_id,
                order_id=paid.order_id,
                proof=proof,
                next_term=self.next_term(),
                auto_renew=not life.ends_after_next,
                at=workflow.now(),
            ),
            "write the proof down, begin the next term",
        )
        # auto_renew is read again: a request may have been answered while the record was being written
        auto_renew = not self._standing.life.ends_after_next
        self._standing.life = self._standing.life.model_copy(
            update={
                "term": self.next_term(),
                "plan": plan,
                "state": State.ACTIVE if auto_renew else State.CANCELLED,
                "auto_renew": auto_renew,
                "ends_after_next": False,
                "reminders_sent": 0,
                "round": 1,
                "promise_at": None,
                "promise_broken": False,
                "failure": None,
            }
        )

    async def end(self, state: State) -> None:
        """Write down that the subscription is over."""
        life = self._standing.life
        self._standing.change(state=state, auto_renew=False)
        await record(
            LicensingActivities.end,
            EndRecord(subscription_id=life.subscription_id, term=life.term, state=state, at=workflow.now()),
            f"end: {state}",
        )

    def next_term(self) -> term.Term:
        """The term that this renewal buys (R1)."""
        life = self._standing.life
        return term.next_term(life.term, life.months, life.anchor_day)

    def _note(self, reason: str, order_id: str) -> OrderNote:
        life = self._standing.life
        return OrderNote(
            subscription_id=life.subscription_id,
            term=life.term,
            order_id=order_id,
            reason=reason,
            at=workflow.now(),
        )
