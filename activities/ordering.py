"""Orders between renewals: add-ons at their quote, upgrades that staff accepted, what the next renewal changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities import letters
from activities.till import Till
from db import audit, invoices, notices, orders, quotes, refunds, subscriptions
from db.models.order import Order
from db.quotes import QuoteRefused, Quoting
from db.subscriptions import Held
from domain import ordering, upgrades
from domain.local_time import local_date
from domain.messages import OrderAnswer, Quote
from domain.not_offered import NotOffered
from domain.ordering import NotForSale
from domain.pricing import AddonAlreadyHeld, Bill, NoAddons, OutsideTerm
from domain.tasks import AddonOrder, Ordered, OrderNote, RenewalChange, UpgradeOrder

NO = (NotForSale, NotOffered, AddonAlreadyHeld, NoAddons, OutsideTerm, QuoteRefused)
"""What refuses a wish to change the license: facts with a sentence for whoever asked, nothing is written."""


@dataclass(frozen=True)
class OrderingActivities:
    """Writes orders down and pays of them what credits can pay."""

    sessions: async_sessionmaker[AsyncSession]
    till: Till

    @property
    def quoting(self) -> Quoting:
        """What quotes are reckoned with."""
        return Quoting(self.till.catalogue, self.till.working_days)

    @activity.defn
    async def order_addons(self, wish: AddonOrder) -> Ordered:
        """Order add-ons at exactly their quote, or refuse and quote anew (R14, R15); once per request (R10)."""
        request = wish.request
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, wish.subscription_id, lock=True)
            key = orders.change_key(held.subscription.id, "addon", request.request_id)
            if (known := await orders.by_key(session, key)) is not None:
                return await self._again(session, held, known, wish)
            try:
                quote = await self._quoted(session, held, wish)
                bill, terms = self.quoting.bill(held, tuple(quote.addons), wish.at)
            except NO as no:
                return Ordered(answer=await self._refused(session, held, wish, str(no)))
            order = orders.change(
                session,
                held,
                "addon",
                key,
                terms.through,
                wish.at,
                added=quote.addons,
                quote_id=quote.quote_id,
            )
            await session.flush()
            await quotes.used(session, quote.quote_id, order.id)
            number = await self._invoice(session, held, order, bill, request.by, wish)
            quoted = {use.grant_id for use in quote.credits}
            settlement = await self.till.use_credits(session, held, order, wish.at, quoted)
            answer = OrderAnswer(
                outcome="accepted",
                order_id=order.id,
                invoice=number,
                quote=quote,
                by=request.by,
                request_id=request.request_id,
            )
            return Ordered(answer=answer, settlement=settlement)

    @activity.defn
    async def order_upgrade(self, wish: UpgradeOrder) -> Ordered:
        """Order the size or edition that staff accepted and send it to be paid (R27); once per request."""
        request = wish.request
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, wish.subscription_id, lock=True)
            key = orders.change_key(held.subscription.id, "upgrade", request.request_id)
            if (known := await orders.by_key(session, key)) is not None:
                return await self._again(session, held, known, wish)
            row, on = held.subscription, local_date(wish.at, self.till.working_days.zone)
            try:
                terms = ordering.charged(held.term, row.months, row.anchor_day, row.state, on)
                bill = upgrades.upgrade_bill(
                    self.till.catalogue,
                    held.item,
                    replace(held.item, edition=request.edition, size=request.size),
                    terms,
                    on,
                    row.currency,
                    held.customer.country,
                    request.price_minor,
                )
            except (*NO, upgrades.NotAnUpgrade) as no:
                return Ordered(
                    answer=OrderAnswer(
                        outcome="refused", reason=str(no), by=request.by, request_id=request.request_id
                    )
                )
            order = orders.change(
                session,
                held,
                "upgrade",
                key,
                terms.through,
                wish.at,
                edition=request.edition,
                size=request.size,
            )
            await session.flush()
            number = await self._invoice(session, held, order, bill, request.by, wish)
            facts = {**letters.held_facts(held), "invoice": number, "total_minor": bill.total_minor}
            await notices.tell(
                session,
                kind="order_to_pay",
                customer_id=held.customer.id,
                subscription_id=row.id,
                term_expires_on=row.expires_on,
                subject=order.id,
                facts={**facts, "edition": request.edition, "size": request.size},
                at=wish.at,
            )
            answer = OrderAnswer(
                outcome="to_be_paid",
                order_id=order.id,
                invoice=number,
                by=request.by,
                request_id=request.request_id,
            )
            return Ordered(answer=answer)

    @activity.defn
    async def pay_order(self, note: OrderNote) -> Ordered:
        """Pay of an open order what credits can pay now."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id, lock=True)
            order = await orders.by_id(session, note.order_id)
            invoice, _due_minor = await invoices.of_order(session, order.id)
            settlement = await self.till.paid(session, order) or await self.till.use_credits(
                session, held, order, note.at
            )
            answer = OrderAnswer(outcome="accepted", order_id=order.id, invoice=invoice.number)
            return Ordered(answer=answer, settlement=settlement)

    @activity.defn
    async def void_order(self, note: OrderNote) -> None:
        """Take an unpaid order back: credits return, the invoice is credited (R20)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id, lock=True)
            order = await orders.by_id(session, note.order_id)
            if order.state != "open":
                return
            invoice, _due_minor = await invoices.of_order(session, order.id)
            on = local_date(note.at, self.till.working_days.zone)
            await refunds.give_back(session, invoice, order, held.customer, "whole", note.at, on)
            order.state = "void"
            await audit.record(
                session,
                actor="evergreen",
                action="void_order",
                subject=note.subscription_id,
                at=note.at,
                reason=note.reason,
                key=f"void_order/{order.id}",
            )

    @activity.defn
    async def change_at_renewal(self, change: RenewalChange) -> OrderAnswer:
        """Note what the next renewal leaves out or makes smaller; until the renewal date (part of R21's price)."""
        request = change.request
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, change.subscription_id, lock=True)
            try:
                upgrades.check_change_at_renewal(
                    self.till.catalogue,
                    held.item,
                    held.subscription.state,
                    request.drop_addons,
                    request.edition,
                    request.size,
                    held.subscription.currency,
                    local_date(change.at, self.till.working_days.zone),
                )
            except (NotForSale, NotOffered, upgrades.NotASmallerOne, upgrades.AddonNotHeld) as no:
                return OrderAnswer(
                    outcome="refused", reason=str(no), by=request.by, request_id=request.request_id
                )
            row = held.subscription
            row.drop_addons = list(request.drop_addons)
            row.next_edition, row.next_size = request.edition, request.size
            await audit.record(
                session,
                actor=request.by or "unknown",
                action="change_at_renewal",
                subject=row.id,
                at=change.at,
                details=request.model_dump(mode="json"),
            )
            return OrderAnswer(outcome="accepted", by=request.by, request_id=request.request_id)

    async def _quoted(self, session: AsyncSession, held: Held, wish: AddonOrder) -> Quote:
        addons = tuple(dict.fromkeys(wish.request.addons))
        if wish.request.quote_id:
            return await self.quoting.accepted(session, held, wish.request.quote_id, addons, wish.at)
        return await self.quoting.quote(session, held, addons, wish.at, lock=True)

    async def _refused(self, session: AsyncSession, held: Held, wish: AddonOrder, reason: str) -> OrderAnswer:
        """The refusal, with a new quote where one can be made (R15)."""
        try:
            addons = tuple(dict.fromkeys(wish.request.addons))
            anew = await self.quoting.quote(session, held, addons, wish.at) if wish.request.quote_id else None
        except NO:
            anew = None
        return OrderAnswer(
            outcome="refused",
            reason=reason,
            quote=anew,
            by=wish.request.by,
            request_id=wish.request.request_id,
        )

    async def _invoice(
        self,
        session: AsyncSession,
        held: Held,
        order: Order,
        bill: Bill,
        by: str,
        wish: AddonOrder | UpgradeOrder,
    ) -> str:
        invoice = await invoices.issue(session, order, held.customer, bill, wish.at)
        await audit.record(
            session,
            actor=by or "unknown",
            action=f"order_{order.kind}",
            subject=held.subscription.id,
            at=wish.at,
            details={"order": order.id, "invoice": invoice.number, "total_minor": invoice.total_minor},
            key=f"order/{order.key}",
        )
        return invoice.number

    async def _again(
        self, session: AsyncSession, held: Held, order: Order, wish: AddonOrder | UpgradeOrder
    ) -> Ordered:
        """The same request again: the same answer, and nothing is ordered twice (R10)."""
        invoice, _due_minor = await invoices.of_order(session, order.id)
        answer = OrderAnswer(
            outcome="accepted",
            order_id=order.id,
            invoice=invoice.number,
            by=wish.request.by,
            request_id=wish.request.request_id,
        )
        if order.state in ("void", "refunded"):
            reason = "this request was refused before: the order was taken back"
            return Ordered(answer=answer.model_copy(update={"outcome": "refused", "reason": reason}))
        settlement = await self.till.paid(session, order)
        if settlement is not None:
            answer = answer.model_copy(update={"paid": settlement.paid})
            return Ordered(answer=answer, settlement=settlement if order.state == "paid" else None)
        if order.kind == "upgrade":
            return Ordered(answer=answer.model_copy(update={"outcome": "to_be_paid"}))
        return Ordered(answer=answer, settlement=await self.till.use_credits(session, held, order, wish.at))
