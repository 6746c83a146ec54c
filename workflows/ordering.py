"""Changing a license between renewals: add-ons and upgrades are ordered, paid and done in turn (R14, R27)."""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context
from typing import Literal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.collecting import CollectingActivities
    from activities.licensing import LicensingActivities
    from activities.ordering import OrderingActivities
    from domain.collection import TO_CONFIRM
    from domain.messages import AddAddons, ChangeAtRenewal, OrderAnswer, OrderPaid, Paid, Upgrade
    from domain.tasks import (
        AddonOrder,
        ChargeRequest,
        Ordered,
        OrderNote,
        Proof,
        RenewalChange,
        Settlement,
        UpdateRecord,
        UpgradeOrder,
    )
    from workflows.fulfilment import Fulfilment
    from workflows.standing import Standing
    from workflows.steps import SOMEBODY_WAITS, call, record


class Ordering:
    """Takes orders for one license."""

    def __init__(self, standing: Standing, fulfilment: Fulfilment) -> None:
        self._standing = standing
        self._fulfilment = fulfilment
        self._one_at_a_time = asyncio.Lock()
        self.last_answer: OrderAnswer | None = None
        self._payments: dict[str, OrderAnswer] = {}
        self._asked_in: dict[str, Context] = {}
        """The context of whoever asked for an order, by order id: what is done for it later belongs to their trace."""

    async def add_addons(self, request: AddAddons) -> OrderAnswer:
        """Order add-ons and take the money for them: exactly what the quote says, or nothing (R15)."""
        async with self._one_at_a_time:
            request = request.model_copy(update={"request_id": request.request_id or str(workflow.uuid4())})
            order = AddonOrder(
                subscription_id=self._standing.life.subscription_id, request=request, at=workflow.now()
            )
            ordered = await record(OrderingActivities.order_addons, order, "order the add-ons")
            return await self._collect(ordered)

    async def upgrade(self, request: Upgrade) -> OrderAnswer:
        """Order another size or edition, to be paid by the customer (R27)."""
        async with self._one_at_a_time:
            request = request.model_copy(update={"request_id": request.request_id or str(workflow.uuid4())})
            order = UpgradeOrder(
                subscription_id=self._standing.life.subscription_id, request=request, at=workflow.now()
            )
            ordered = await record(OrderingActivities.order_upgrade, order, "order the upgrade")
            answer = self.last_answer = ordered.answer
            known = self._standing.life.unpaid_orders
            if (
                answer.outcome == "to_be_paid"
                and answer.order_id is not None
                and answer.order_id not in known
            ):
                self._standing.change(unpaid_orders=(*known, answer.order_id))
            return answer

    async def pay(self, request: OrderPaid) -> OrderAnswer:
        """The customer wants an order paid now, with credits and the saved card."""
        async with self._one_at_a_time:
            known = self._payments.get(request.request_id)
            if known is not None:
                return known
            answer = await self._pay(request)
            if request.request_id:  # a double click after a decline is not another try (R10)
                self._payments[request.request_id] = answer
            return answer

    async def _pay(self, request: OrderPaid) -> OrderAnswer:
        if request.order_id not in self._standing.life.unpaid_orders:
            reason = f"no order {request.order_id} of this subscription waits to be paid"
            return self._answered(OrderAnswer(outcome="refused", reason=reason))
        note = self._note(request.order_id, "paid by the customer")
        ordered = await record(OrderingActivities.pay_order, note, "use credits for the order")
        return await self._collect(ordered, keep_open=True)

    async def change_at_renewal(self, request: ChangeAtRenewal) -> OrderAnswer:
        """What the next renewal leaves out or makes smaller."""
        async with self._one_at_a_time:
            change = RenewalChange(
                subscription_id=self._standing.life.subscription_id, request=request, at=workflow.now()
            )
            return self._answered(
                await record(OrderingActivities.change_at_renewal, change, "note what the renewal changes")
            )

    async def work(self) -> None:
        """Have all that is paid done, oldest first, while the run lasts; the next run goes on with what is left."""
        begun: set[str] = set()
        doing: list[asyncio.Task[None]] = []
        try:
            while True:
                await workflow.wait_condition(
                    lambda: bool(self._not_in(begun)) or any(task.done() for task in doing)
                )
                for task in [task for task in doing if task.done()]:
                    doing.remove(task)
                    await task  # an error must show
                for paid in self._not_in(begun):
                    begun.add(paid.order_id)
                    asked_in = self._asked_in.pop(paid.order_id, None)
                    doing.append(asyncio.create_task(self._do(paid), context=asked_in))
        except asyncio.CancelledError:
            for task in doing:
                task.cancel()
            raise

    def _not_in(self, begun: set[str]) -> list[Paid]:
        return [paid for paid in self._standing.life.open_orders if paid.order_id not in begun]

    async def _do(self, paid: Paid) -> None:
        """Have one order's license update done, and write it down."""

        async def write_down(proof: Proof) -> None:
            done = UpdateRecord(
                subscription_id=self._standing.life.subscription_id,
                order_id=paid.order_id,
                proof=proof,
                at=workflow.now(),
            )
            await record(LicensingActivities.record_update, done, "write the proof down")

        proof = await self._fulfilment.fulfil(paid, write_down)
        life = self._standing.life
        rest = tuple(order for order in life.open_orders if order.order_id != paid.order_id)
        broken = life.promise_broken and (bool(rest) or life.promise_at is not None)
        self._standing.change(
            open_orders=rest,
            promise_broken=broken,
            failure=None
            if proof is not None and life.failure == "PromiseBroken" and not broken
            else life.failure,
        )

    async def _collect(self, ordered: Ordered, keep_open: bool = False) -> OrderAnswer:
        """Credits have paid what they can; the card pays the rest, or the order is taken back."""
        answer, settlement = ordered.answer, ordered.settlement
        if settlement is None or settlement.order_id is None:
            return self._answered(answer)
        order_id = settlement.order_id
        if settlement.paid is None and settlement.card:
            settlement = await self._charge(order_id, "fresh")
            if (
                settlement.failure == TO_CONFIRM
            ):  # nobody is there to confirm: an order is taken now, or not at all
                settlement = await self._charge(order_id, "withdraw")
        if settlement.paid is None:
            refusal = await self._give_up(answer, order_id, settlement.failure or "NotPaid", keep_open)
            return self._answered(refusal)
        self._open(settlement.paid)
        return self._answered(answer.model_copy(update={"outcome": "accepted", "paid": settlement.paid}))

    async def _charge(self, order_id: str, mode: Literal["fresh", "withdraw"]) -> Settlement:
        request = ChargeRequest(
            subscription_id=self._standing.life.subscription_id,
            order_id=order_id,
            mode=mode,
            at=workflow.now(),
        )
        label = f"charge the saved card ({mode})"
        return await call(CollectingActivities.charge, request, label, SOMEBODY_WAITS)

    async def _give_up(
        self, answer: OrderAnswer, order_id: str, failure: str, keep_open: bool
    ) -> OrderAnswer:
        """Nothing is taken. An order of add-ons is over with that; an upgrade goes on waiting to be paid."""
        if not keep_open:
            note = self._note(order_id, failure)
            await record(OrderingActivities.void_order, note, "take the unpaid order back")
        reason = f"the money could not be taken ({failure}): nothing was charged; add credit or another card"
        return answer.model_copy(update={"outcome": "refused", "reason": reason})

    def _open(self, paid: Paid) -> None:
        life = self._standing.life
        if paid.order_id in (order.order_id for order in life.open_orders):
            return
        unpaid = tuple(order_id for order_id in life.unpaid_orders if order_id != paid.order_id)
        self._asked_in[paid.order_id] = copy_context()
        self._standing.change(open_orders=(*life.open_orders, paid), unpaid_orders=unpaid)

    def _answered(self, answer: OrderAnswer) -> OrderAnswer:
        self.last_answer = answer
        return answer

    def _note(self, order_id: str, reason: str) -> OrderNote:
        life = self._standing.life
        return OrderNote(
            subscription_id=life.subscription_id,
            term=life.term,
            order_id=order_id,
            reason=reason,
            at=workflow.now(),
        )
