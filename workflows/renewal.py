"""One renewal of one term: collect the money, have the license updated, prove it, begin the next term.

Every step is keyed in our tables, so a run that takes over in the middle simply asks for each step again.
"""

from __future__ import annotations

from typing import Literal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.billing import BillingActivities
    from activities.collecting import CollectingActivities
    from activities.licensing import LicensingActivities
    from domain import term
    from domain.collection import TO_CONFIRM, WITHDRAWN
    from domain.messages import Paid, State
    from domain.tasks import ChargeRequest, EndRecord, LapseNote, Proof, Settlement, SettleRequest, TermRecord
    from workflows.fulfilment import Fulfilment
    from workflows.standing import Standing
    from workflows.steps import call, record
    from workflows.waiting import happens_before


class Renewal:
    """Renews the term that `standing` is in."""

    def __init__(self, standing: Standing, fulfilment: Fulfilment) -> None:
        self._standing = standing
        self._fulfilment = fulfilment
        self._money_came = False
        self._last: Settlement | None = None

    def money_came(self) -> None:
        """A new card or credit is there: try again now (R22)."""
        self._money_came = True

    async def collect(self) -> Paid | None:
        """Settle (R21) and try again on each day of the schedule and whenever money comes (R22).

        None: the term ended unpaid, and nothing came in the 30 days after it.
        """
        plan = self._standing.life.plan
        if workflow.now() >= plan.term_ends_at and (begun := await self._begun_before()) is not None:
            return begun
        while workflow.now() < plan.term_ends_at:
            settlement = self._last = await self._attempt()
            if settlement.paid is not None:
                return settlement.paid
            self._standing.change(state=State.COLLECTING, failure=settlement.failure)
            next_try = next((at for at in plan.attempts if at > workflow.now()), plan.term_ends_at)
            await happens_before(next_try, lambda: self._money_came, "wait for money until the next attempt")
        return await self._collect_late()

    async def _begun_before(self) -> Paid | None:
        """What a run that was lost had begun, when the term is over meanwhile: it may be paid, or a charge under way.

        Only a workflow that reconciliation has started anew begins in these states.
        """
        if self._last is not None or self._standing.life.state not in (State.UPDATING, State.COLLECTING):
            return None
        settlement = self._last = await self._settle(late=True)
        if settlement.paid is None and settlement.card and settlement.order_id is not None:
            settlement = self._last = await self._charge(settlement.order_id, "withdraw")
        return settlement.paid

    async def _collect_late(self) -> Paid | None:
        """After the term's end all or nothing: what cannot be paid whole is taken back at once (R22)."""
        late_until_at = self._standing.life.plan.late_until_at
        paid = await self._lapse()
        while paid is None and await happens_before(
            late_until_at, lambda: self._money_came, "lapsed: a payment still renews"
        ):
            settlement = self._last = await self._attempt(late=True)
            paid = settlement.paid
            if paid is None and settlement.order_id and settlement.failure != TO_CONFIRM:
                paid = await self._lapse()
        if paid is None and self._last is not None and self._last.failure == TO_CONFIRM:
            paid = await self._lapse()
        return paid

    async def _attempt(self, late: bool = False) -> Settlement:
        """Credits first, then the card."""
        fresh, self._money_came = self._money_came, False
        settlement = await self._settle(late)
        if settlement.paid is not None or not settlement.card or settlement.order_id is None:
            return settlement
        settlement = await self._charge(settlement.order_id, "fresh" if fresh else "scheduled")
        if fresh and settlement.failure == WITHDRAWN:
            return await self._attempt(
                late
            )  # the confirmation was given up for the new card or credit: use it now
        return settlement

    async def _settle(self, late: bool) -> Settlement:
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

    async def _charge(self, order_id: str, mode: Literal["scheduled", "fresh", "withdraw"]) -> Settlement:
        request = ChargeRequest(
            subscription_id=self._standing.life.subscription_id,
            order_id=order_id,
            mode=mode,
            at=workflow.now(),
        )
        return await call(CollectingActivities.charge, request, f"charge the saved card ({mode})")

    async def _lapse(self) -> Paid | None:
        """Take the order back: credits return, nothing is taken (R22); unless a confirmation just paid it.

        A run that takes over a lapsed life has nothing to take back.
        """
        last, self._last = self._last, None
        if last is not None and last.order_id is not None and last.failure == TO_CONFIRM:
            paid = (await self._charge(last.order_id, "withdraw")).paid
            if paid is not None:
                return paid
        life = self._standing.life
        if last is not None or life.state != State.LAPSED:
            note = LapseNote(
                subscription_id=life.subscription_id,
                term=life.term,
                reason="NotPaidInTime",
                late_until_at=life.plan.late_until_at,
                at=workflow.now(),
            )
            await record(BillingActivities.lapse, note, "lapse: give credits back")
            self._standing.change(state=State.LAPSED, round=life.round + 1)
        return None

    async def update(self, paid: Paid) -> Proof | None:
        """Have the license updated by the promise time (R23), proved (R24) and the next term begun.

        None: the vendor's final refusal.
        """
        self._standing.change(state=State.UPDATING, promise_at=paid.promise_at, failure=None)
        proof = await self._fulfilment.fulfil(paid, lambda proof: self._conclude(paid, proof))
        if proof is None:
            life = self._standing.life
            self._standing.change(
                state=State.REFUSED, auto_renew=False, promise_at=None, round=life.round + 1
            )
        return proof

    async def _conclude(self, paid: Paid, proof: Proof) -> None:
        """Write the proof down and step into the next term; a late cancellation takes effect there (R8)."""
        async with self._standing.turnstile:  # a request is answered about one term or the other
            life = self._standing.life
            auto_renew = not life.ends_after_next
            plan = await record(
                LicensingActivities.begin_term,
                TermRecord(
                    subscription_id=life.subscription_id,
                    order_id=paid.order_id,
                    proof=proof,
                    next_term=self.next_term(),
                    auto_renew=auto_renew,
                    at=workflow.now(),
                ),
                "write the proof down, begin the next term",
            )
            self._standing.begin_term(self.next_term(), plan, auto_renew)

    async def end(self, state: State) -> None:
        """Write down that the subscription is over."""
        async with self._standing.turnstile:
            life = self._standing.life
            self._standing.change(state=state, auto_renew=False)
            await record(
                LicensingActivities.end,
                EndRecord(
                    subscription_id=life.subscription_id, term=life.term, state=state, at=workflow.now()
                ),
                f"end: {state}",
            )

    def next_term(self) -> term.Term:
        """The term that this renewal buys (R1)."""
        life = self._standing.life
        return term.next_term(life.term, life.months, life.anchor_day)
