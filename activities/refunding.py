"""A refund that staff decide: written down whole in one transaction, then carried out on the card (R20)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities import letters
from activities.failures import final
from db import audit, invoices, notices, orders, refunds, subscriptions
from db.invoices import UnknownInvoice
from db.refunds import NothingLeft
from domain.local_time import local_date
from domain.tasks import CardRefunds, RefundRequest


@dataclass(frozen=True)
class RefundActivities:
    """Writes refunds down."""

    sessions: async_sessionmaker[AsyncSession]
    zone: str

    @activity.defn
    async def write_refund(self, request: RefundRequest) -> CardRefunds:
        """Credit note, ledger and the card refunds to be carried out, once per invoice and reference (R20, R25).

        Final: UnknownInvoice, NothingLeft.
        """
        with final(UnknownInvoice, NothingLeft):
            async with self.sessions.begin() as session:
                invoice = await invoices.by_number(session, request.invoice)
                order = await orders.by_id(session, invoice.order_id or "")
                held = await subscriptions.held(session, order.subscription_id, lock=True)
                back = await refunds.give_back(
                    session,
                    invoice,
                    order,
                    held.customer,
                    f"staff/{request.reference}",
                    request.at,
                    local_date(request.at, self.zone),
                    request.amount_minor,
                )
                await notices.tell(
                    session,
                    kind="refund",
                    customer_id=held.customer.id,
                    subscription_id=held.subscription.id,
                    term_expires_on=order.term_expires_on,
                    subject=f"{invoice.number}/{request.reference}",
                    facts={
                        **letters.held_facts(held),
                        "invoice": invoice.number,
                        "amount_minor": back.amount_minor,
                    },
                    at=request.at,
                )
                await audit.record(
                    session,
                    actor=request.by,
                    action="refund",
                    subject=held.subscription.id,
                    at=request.at,
                    reason=request.reason,
                    details={"invoice": invoice.number, "amount_minor": request.amount_minor},
                    key=f"refund/{invoice.number}/{request.reference}",
                )
        return CardRefunds(payment_ids=tuple(back.pending))
