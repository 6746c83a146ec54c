"""Refunds: those that staff decided, and what the provider has to say of one later (R20, R25)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.collecting import CollectingActivities
    from activities.refunding import RefundActivities
    from domain.tasks import CardRefund, CardRefunds, RefundRequest
    from workflows.steps import call, record


@workflow.defn(name="Refund")
class Refund:
    """Gives back an invoice, or part of it."""

    @workflow.run
    async def run(self, request: RefundRequest) -> CardRefunds:
        """Answers the card refunds that were carried out; fails where there is nothing left to give back."""
        pending = await record(RefundActivities.write_refund, request, "credit note and ledger")
        for payment_id in pending.payment_ids:
            refund = CardRefund(payment_id=payment_id, at=workflow.now())
            await call(CollectingActivities.refund_card, refund, "refund the card")
        return pending


@workflow.defn(name="CardRefund")
class CardRefundNews:
    """The provider has news of a card refund: looks how it turned out, and books that."""

    @workflow.run
    async def run(self, refund: CardRefund) -> None:
        """Done when the provider has answered; a refund that failed is credit then (R20)."""
        await call(CollectingActivities.refund_card, refund, "look how the refund turned out")
