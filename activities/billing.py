"""Settling a renewal: price, invoice, credits (R21); giving it back (R20, R22). Keyed for ever (R25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities import letters
from db import audit, credit_use, invoices, notices, orders, subscriptions
from db.models.order import Order
from db.subscriptions import Held
from domain.catalogue import Catalogue
from domain.local_time import local_date
from domain.messages import OrderNote, Paid, Settlement, SettleRequest, TermNote
from domain.pricing import Bill
from domain.working_days import WorkingDays

SHORTFALL = "NotEnoughCredit"


class OrderNotPaid(Exception):
    """The order was taken back, or is not paid yet, where a paid one is expected."""


@dataclass(frozen=True)
class BillingActivities:
    """Moves what a renewal costs between invoice and credits."""

    sessions: async_sessionmaker[AsyncSession]
    catalogue: Catalogue
    working_days: WorkingDays

    @activity.defn
    async def settle(self, request: SettleRequest) -> Settlement:
        """Invoice the renewal once, and pay of it what credits can pay now; safe to ask again (R21, R22, R25)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, request.subscription_id, lock=True)
            order = await orders.by_key(session, _key(held, request))
            if order is not None and order.paid_at is not None:
                return await _settled(session, order)
            on = local_date(request.at, self.working_days.zone)
            bill = self._bill(held, request.renews_on)
            if request.late and await credit_use.available_minor(session, held, on) < bill.total_minor:
                return _short(bill)
            if order is None:
                order = orders.renewal(session, held, _key(held, request), request.next_term, request.at)
                await session.flush()
                await invoices.issue(session, order, held.customer, bill, request.at)
                facts = {
                    **letters.held_facts(held),
                    "total_minor": bill.total_minor,
                    "renews_on": request.renews_on.isoformat(),
                }
                await self._tell(session, held, "renewal_fixed", facts, request.at)
            return await self._collect(session, held, order, request.at, on)

    @activity.defn
    async def lapse(self, note: TermNote) -> None:
        """The term ended unpaid: give credits back, take the invoice back, tell the customer (R22)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id, lock=True)
            for order in await orders.open_renewals(session, held.subscription.id):
                await self._take_back(session, held, order, "void", note.at)
            held.subscription.state = "lapsed"
            held.subscription.failure_reason = note.reason
            facts = {**letters.held_facts(held), "reason": note.reason}
            await self._tell(session, held, "lapsed", facts, note.at)
            await _audit(session, note, "lapse")

    @activity.defn
    async def give_back(self, note: OrderNote) -> None:
        """The vendor refused for good: credits go back to their grants; customer and staff are told (R20, R23)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id, lock=True)
            order = await orders.by_id(session, note.order_id)
            if order.state != "refunded":
                await self._take_back(session, held, order, "refunded", note.at)
                await orders.refuse_update(session, order, note.reason)
            held.subscription.state = "refused"
            held.subscription.auto_renew = False
            held.subscription.failure_reason = note.reason
            facts = {**letters.held_facts(held), "reason": note.reason}
            await self._tell(session, held, "update_refused", facts, note.at, order.id)
            await self._tell(session, held, "update_refused", facts, note.at, order.id, "staff")
            await _audit(session, note, "refund")

    def _bill(self, held: Held, renews_on: date) -> Bill:
        return letters.renewal_bill(self.catalogue, held, renews_on)

    async def _collect(
        self, session: AsyncSession, held: Held, order: Order, at: datetime, on: date
    ) -> Settlement:
        invoice, due_minor = await invoices.of_order(session, order.id)
        due_minor -= await credit_use.pay(session, held, order, invoice, due_minor, at, on)
        row = held.subscription
        if due_minor:
            row.state, row.failure_reason = "collecting", SHORTFALL
            facts = {
                **letters.held_facts(held),
                "total_minor": invoice.total_minor,
                "credits_minor": invoice.total_minor - due_minor,
                "remainder_minor": due_minor,
                "reason": SHORTFALL,
            }
            await self._tell(session, held, "payment_failed", facts, at)
            return Settlement(
                currency=invoice.currency,
                total_minor=invoice.total_minor,
                due_minor=due_minor,
                failure=SHORTFALL,
            )
        promise_at = self.working_days.promise_time(at)
        orders.paid(session, order, held, at, promise_at, self.catalogue.channel(held.license.product))
        await credit_use.convert_rest(session, held, order, at)
        row.state, row.failure_reason, row.promise_at = "updating", None, promise_at
        return await _settled(session, order)

    async def _take_back(
        self, session: AsyncSession, held: Held, order: Order, state: str, at: datetime
    ) -> None:
        invoice, _due_minor = await invoices.of_order(session, order.id)
        await credit_use.reverse_all(session, order, at)
        await invoices.take_back(session, invoice, order, held.customer, at)
        order.state = state

    async def _tell(
        self,
        session: AsyncSession,
        held: Held,
        kind: str,
        facts: dict[str, Any],
        at: datetime,
        subject: str = "",
        audience: notices.Audience = "customer",
    ) -> None:
        await notices.tell(
            session,
            kind=kind,
            customer_id=held.customer.id,
            subscription_id=held.subscription.id,
            term_expires_on=held.subscription.expires_on,
            subject=subject,
            facts=facts,
            at=at,
            audience=audience,
        )


def _key(held: Held, request: SettleRequest) -> str:
    return orders.renewal_key(held.subscription.id, request.term, request.round)


def _short(bill: Bill) -> Settlement:
    """Nothing is written: after expiry it is all or nothing."""
    total_minor = bill.total_minor
    return Settlement(
        currency=bill.currency, total_minor=total_minor, due_minor=total_minor, failure=SHORTFALL
    )


async def _settled(session: AsyncSession, order: Order) -> Settlement:
    """The answer for an order that is paid."""
    invoice, due_minor = await invoices.of_order(session, order.id)
    if order.paid_at is None or order.promise_at is None:
        raise OrderNotPaid(f"order {order.id} is {order.state}")
    return Settlement(
        currency=invoice.currency,
        total_minor=invoice.total_minor,
        due_minor=due_minor,
        paid=Paid(order_id=order.id, paid_at=order.paid_at, promise_at=order.promise_at),
    )


async def _audit(session: AsyncSession, note: TermNote, action: str) -> None:
    await audit.record(
        session,
        actor="evergreen",
        action=action,
        subject=note.subscription_id,
        at=note.at,
        reason=note.reason,
    )
