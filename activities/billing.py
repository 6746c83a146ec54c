"""Settling a renewal: price, invoice, credits (R21); taking it back (R20, R22). One transaction each, keyed (R25)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities import counters, letters
from activities.till import Till
from db import audit, credit_use, invoices, orders, payments, refunds, subscriptions
from db.models.order import Order
from db.refunds import NothingLeft
from db.renewal_prices import renewal_bill
from db.subscriptions import Held
from domain import pricing
from domain.collection import NO_CARD
from domain.local_time import local_date
from domain.pricing import Bill
from domain.tasks import CardRefunds, LapseNote, OrderNote, Settlement, SettleRequest, TermNote

A_MOMENT = timedelta(microseconds=1)
"""What is before a day's end belongs to that day."""


@dataclass(frozen=True)
class BillingActivities:
    """Moves what a renewal costs between invoice and credits."""

    sessions: async_sessionmaker[AsyncSession]
    till: Till

    @activity.defn
    async def settle(self, request: SettleRequest) -> Settlement:
        """Invoice the renewal once, and pay of it what credits can pay now; safe to ask again (R21, R22, R25)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, request.subscription_id, lock=True)
            key = orders.renewal_key(held.subscription.id, request.term, request.round)
            order, waiting = await orders.for_renewal(session, held.subscription.id, key)
            if order is not None:
                paid = await self.till.paid(session, order)
                return paid or await self.till.use_credits(session, held, order, request.at)
            held = replace(held, waiting=waiting)
            bill = self._bill(held, request.renews_on)
            if request.late and not await self._can_be_paid(session, held, bill, request.at):
                return _short(bill)
            return await self.till.open_renewal(session, held, key, request.next_term, bill, request.at)

    @activity.defn
    async def lapse(self, note: LapseNote) -> None:
        """The term ended unpaid: credits go back, the invoice is taken back, the customer is told (R22)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id, lock=True)
            for order in await orders.open_renewals(session, held.subscription.id):
                await self._take_back(session, held, order, "void", note.at)
            state_before = held.subscription.state
            held.subscription.state, held.subscription.failure_reason = "lapsed", note.reason
            late_until = local_date(note.late_until_at - A_MOMENT, self.till.working_days.zone)
            facts = {
                **letters.held_facts(held),
                "reason": note.reason,
                "late_until": late_until.isoformat(),
            }
            await letters.tell(session, held, "lapsed", facts, note.at)
            await _audit(session, note, "lapse")
        if state_before != "lapsed":
            counters.renewal("lapsed")

    @activity.defn
    async def give_back(self, note: OrderNote) -> CardRefunds:
        """The vendor refused for good: the payment goes back where it came from, all are told (R20, R23).

        Answers the card refunds that are still to be carried out.
        """
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id, lock=True)
            order = await orders.by_id(session, note.order_id)
            given_back_before = order.state == "refunded"
            pending = await self._take_back(session, held, order, "refunded", note.at)
            if (renewal := await orders.renewal_with(session, order)) is not None:
                pending += await self._take_off(session, held, renewal, order, note.at)
            await orders.refuse_update(session, order, note.reason)
            if order.kind == "renewal":
                held.subscription.state, held.subscription.failure_reason = "refused", note.reason
                held.subscription.auto_renew = False
            held.subscription.promise_at, held.subscription.promise_broken = None, False
            facts = {**letters.held_facts(held), "reason": note.reason}
            await letters.tell(session, held, "update_refused", facts, note.at, order.id)
            await letters.tell(session, held, "update_refused", facts, note.at, order.id, "staff")
            await _audit(session, note, "refund", order.id)
        if order.kind == "renewal" and not given_back_before:
            counters.renewal("refused")
        return CardRefunds(payment_ids=tuple(pending))

    def _bill(self, held: Held, renews_on: date) -> Bill:
        return renewal_bill(self.till.catalogue, held, renews_on)

    async def _can_be_paid(self, session: AsyncSession, held: Held, bill: Bill, at: datetime) -> bool:
        """After expiry it is all or nothing (R22): is there a card, or credit for the whole?"""
        if self.till.has_card(held):
            return True
        on = local_date(at, self.till.working_days.zone)
        return await credit_use.available_minor(session, held, on) >= bill.total_minor

    async def _take_back(
        self, session: AsyncSession, held: Held, order: Order, state: str, at: datetime
    ) -> list[str]:
        invoice, _due_minor = await invoices.of_order(session, order.id)
        on = local_date(at, self.till.working_days.zone)
        order.state = state
        try:
            back = await refunds.give_back(session, invoice, order, held.customer, "whole", at, on)
        except NothingLeft:  # staff gave all of it back before, or nothing was ever owed
            return await payments.pending_refunds(session, invoice.id)
        return back.pending

    async def _take_off(
        self, session: AsyncSession, held: Held, renewal: Order, refused: Order, at: datetime
    ) -> list[str]:
        """Add-ons that the vendor refused were in the price of a renewal settled meanwhile: that part goes back too."""
        invoice, _due_minor = await invoices.of_order(session, renewal.id)
        lines = [invoices.as_billed(line) for line in await invoices.lines_of(session, invoice.id)]
        part_minor = pricing.addons_part_minor(lines, refused.added_addons)
        renewal.target_addons = [name for name in renewal.target_addons if name not in refused.added_addons]
        on = local_date(at, self.till.working_days.zone)
        back = await refunds.give_back(
            session, invoice, renewal, held.customer, f"refused/{refused.id}", at, on, part_minor
        )
        return back.pending


def _short(bill: Bill) -> Settlement:
    """Nothing is written."""
    total_minor = bill.total_minor
    return Settlement(currency=bill.currency, total_minor=total_minor, due_minor=total_minor, failure=NO_CARD)


async def _audit(session: AsyncSession, note: TermNote, action: str, what: str | None = None) -> None:
    await audit.record(
        session,
        actor="evergreen",
        action=action,
        subject=note.subscription_id,
        at=note.at,
        reason=note.reason,
        key=f"{action}/{note.subscription_id}/{what or note.term.expires_on}",
    )
