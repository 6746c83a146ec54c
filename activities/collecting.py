"""Taking the remainder from the saved card, and giving it back there (R20–R22).

A row is written before the provider is called and completed after it. An outcome that is not known is looked up
before anything is tried again (R25).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities import counters, letters
from activities.till import Till
from db import invoices, notices, orders, payments, refunds, subscriptions
from db.models.order import Order
from db.models.payment import Payment
from db.subscriptions import Held
from domain.card import Payer
from domain.collection import DECLINED, NO_CARD, TO_CONFIRM
from domain.tasks import CardRefund, ChargeRequest, Settlement
from payments.charge import ActionRequired, Charge, Charged, Declined, Outcome, Refund, Refunded
from payments.payment_provider import AmountTooSmall, PaymentProvider

GIVEN_UP = Declined(code="confirmation_withdrawn", kind="soft")
"""A confirmation that was not given and is not waited for any more."""

CLOCKS_APART = timedelta(hours=1)
"""So far may our database's clock be from the provider's: a charge is looked for from that much earlier on."""


@dataclass(frozen=True)
class Attempt:
    """A charge that is written down and may have been tried: everything that the provider must be told."""

    payment_id: str
    key: str
    amount_minor: int
    currency: str
    payment_method: str
    description: str
    payer: Payer
    written_at: datetime
    tried_before: bool


@dataclass(frozen=True)
class CollectingActivities:
    """Charges and refunds cards."""

    sessions: async_sessionmaker[AsyncSession]
    provider: PaymentProvider
    till: Till

    @activity.defn
    async def charge(self, request: ChargeRequest) -> Settlement:
        """Take what is due from the saved card, once (R21, R25).

        `scheduled`: try, unless the card said no for good or a confirmation is waited for. `fresh`: a new card or
        credit is there, so a confirmation that is waited for is given up. `withdraw`: only find out, and give up.
        """
        async with self.sessions.begin() as session:
            attempt = await self._write_ahead(session, request)
        if isinstance(attempt, Settlement):
            return attempt
        outcome = await self._outcome(attempt, request)
        async with self.sessions.begin() as session:
            settlement = await self._record(session, request, attempt, outcome)
        if isinstance(outcome, Declined) and outcome is not GIVEN_UP:
            counters.declined(outcome.kind)
        return settlement

    @activity.defn
    async def refund_card(self, request: CardRefund) -> None:
        """Carry out a card refund that is written down, once (R20, R25); one that was tried before is looked up."""
        async with self.sessions.begin() as session:
            refund = await payments.by_id(session, request.payment_id)
            settled = refund.status == "declined" or (refund.status == "succeeded" and not request.news)
            if refund.refunds_id is None or settled:
                return
            charge = await payments.by_id(session, refund.refunds_id)
            tried_before = refund.status == "unknown" or refund.provider_reference is not None
            if refund.status == "pending":
                refund.status = "unknown"
        reference = charge.provider_reference or ""
        done = await self.provider.find_refund(refund.key, reference) if tried_before else None
        if done is None:
            done = await self.provider.refund(
                Refund(key=refund.key, charge_reference=reference, amount_minor=refund.amount_minor)
            )
        async with self.sessions.begin() as session:
            await self._book_refund(session, request, done)

    async def look_up(self, payment_id: str, at: datetime) -> str | None:
        """Find out how a charge stands whose outcome nobody knows, and book it; never charges (R25).

        Answers the id of its subscription; None if the provider knows nothing of it, or its order is closed.
        """
        async with self.sessions.begin() as session:
            payment = await payments.by_id(session, payment_id)
            order = await orders.by_id(session, await payments.order_of(session, payment.invoice_id))
            held = await subscriptions.held(session, order.subscription_id)
        attempt = self._attempt(payment, held, tried_before=True)
        outcome = await self._looked_up(attempt)
        if outcome is None:
            return None
        request = ChargeRequest(subscription_id=held.subscription.id, order_id=order.id, at=at)
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, request.subscription_id, lock=True)
            order = await orders.by_id(session, request.order_id)
            payment = await payments.by_id(session, payment_id)
            if payment.status not in ("pending", "unknown"):
                return request.subscription_id  # its own workflow was quicker
            if order.state in ("paid", "fulfilled") and isinstance(outcome, Charged):
                payment.status, payment.completed_at = (
                    "succeeded",
                    at,
                )  # booked before, then lost from the row
                payment.provider_reference = outcome.reference
                return request.subscription_id
            if order.state != "open":
                return None
            await self._record(session, request, attempt, outcome)
        return request.subscription_id

    async def _book_refund(self, session: AsyncSession, request: CardRefund, done: Refunded) -> None:
        refund = await payments.by_id(session, request.payment_id)
        if refund.status == "declined":
            return  # it failed meanwhile, and that is for good
        refund.provider_reference = done.reference
        match done.status:
            case "succeeded":
                refund.status, refund.completed_at = "succeeded", request.at
            case "pending":
                refund.status = "pending"
            case "failed":
                refund.status, refund.completed_at = "declined", request.at
                refund.decline_code, refund.decline_kind = "refund_failed", "hard"
                await self._bounced(session, refund, request.at)

    async def _bounced(self, session: AsyncSession, refund: Payment, at: datetime) -> None:
        """The card did not take it: it is credit now, and customer and staff are told."""
        invoice = await invoices.by_id(session, refund.invoice_id)
        order = await orders.by_id(session, invoice.order_id or "")
        held = await subscriptions.held(session, order.subscription_id)
        await refunds.bounced(session, refund, held.customer.id, at)
        facts = {**letters.held_facts(held), "amount_minor": refund.amount_minor, "invoice": invoice.number}
        to_customer = letters.about(held, "refund_failed", facts, at, refund.key)
        to_staff = letters.about(held, "refund_failed", facts, at, refund.key, "staff")
        await notices.tell_all(session, [to_customer, to_staff])

    async def _write_ahead(self, session: AsyncSession, request: ChargeRequest) -> Attempt | Settlement:
        held = await subscriptions.held(session, request.subscription_id, lock=True)
        order = await orders.by_id(session, request.order_id)
        if paid := await self.till.paid(session, order):
            return paid
        invoice, due_minor = await invoices.of_order(session, order.id)
        payment = await payments.live_charge(session, invoice.id)
        tried_before = payment is not None
        if payment is None:
            no = await self._why_not(session, invoice.id, held, request)
            if no is not None or held.customer.card_token is None:
                return await self.till.fall_short(session, held, order, no or NO_CARD, request.at)
            payment = await payments.begin_charge(
                session, invoice, order.key, due_minor, held.customer.card_token, request.at
            )
        return self._attempt(payment, held, tried_before, f"{invoice.number}: {held.title}")

    def _attempt(self, payment: Payment, held: Held, tried_before: bool, description: str = "") -> Attempt:
        return Attempt(
            payment_id=payment.id,
            key=payment.key,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            payment_method=payment.payment_method or "",
            description=description,
            payer=Payer(
                id=held.customer.id,
                email=held.customer.email,
                name=held.customer.name,
                reference=held.customer.provider_customer_id,
            ),
            written_at=payment.recorded_at,
            tried_before=tried_before,
        )

    async def _why_not(
        self, session: AsyncSession, invoice_id: str, held: Held, request: ChargeRequest
    ) -> str | None:
        """A card that said no for good is not tried again: a new one is waited for (R22)."""
        if request.mode == "withdraw":
            return TO_CONFIRM
        last = await payments.last_decline(session, invoice_id)
        refused = last is not None and last.decline_kind == "hard"
        if refused and last is not None and last.payment_method == held.customer.card_token:
            return f"{DECLINED}:{last.decline_code}"
        return None

    async def _outcome(self, attempt: Attempt, request: ChargeRequest) -> Outcome:
        known = await self._looked_up(attempt) if attempt.tried_before else None
        if isinstance(known, ActionRequired) and request.mode != "scheduled":
            closed = await self.provider.withdraw(known.reference)
            return closed if isinstance(closed, Charged) else GIVEN_UP
        if known is not None:
            return known
        if request.mode == "withdraw":
            return GIVEN_UP  # written down but never tried: the provider does not know of it
        return await self._tried(attempt)

    async def _looked_up(self, attempt: Attempt) -> Outcome | None:
        if attempt.payer.reference is None:
            return None
        return await self.provider.find(
            attempt.key, attempt.payer.reference, attempt.written_at - CLOCKS_APART
        )

    async def _tried(self, attempt: Attempt) -> Outcome:
        reference, payment_method = attempt.payer.reference, attempt.payment_method
        if reference is None:
            saved = await self.provider.save_card(attempt.payer, attempt.payment_method)
            if isinstance(saved, Declined):
                return saved
            reference, payment_method = saved.customer_reference, saved.payment_method
            async with self.sessions.begin() as session:
                await payments.know_card(session, attempt.payer.id, attempt.payment_id, saved)
        try:
            return await self.provider.charge(
                Charge(
                    key=attempt.key,
                    customer_reference=reference,
                    payment_method=payment_method,
                    amount_minor=attempt.amount_minor,
                    currency=attempt.currency,
                    description=attempt.description,
                    metadata={"customer": attempt.payer.id},
                )
            )
        except AmountTooSmall:
            return Declined(code="amount_too_small", kind="soft")  # credit may pay it: staff see why it waits

    async def _record(
        self, session: AsyncSession, request: ChargeRequest, attempt: Attempt, outcome: Outcome
    ) -> Settlement:
        held = await subscriptions.held(session, request.subscription_id, lock=True)
        order = await orders.by_id(session, request.order_id)
        payment = await payments.by_id(session, attempt.payment_id)
        match outcome:
            case Charged():
                payment.status, payment.completed_at = "succeeded", request.at
                payment.provider_reference = outcome.reference
                return await self.till.take_card(session, held, order, payment, request.at)
            case ActionRequired():
                payment.status = "action_required"
                payment.provider_reference = outcome.reference
                payment.action_url = outcome.url
                return await self.till.fall_short(
                    session, held, order, TO_CONFIRM, request.at, action_url=outcome.url
                )
            case Declined():
                return await self._declined(session, held, order, payment, outcome, request)

    async def _declined(
        self,
        session: AsyncSession,
        held: Held,
        order: Order,
        payment: Payment,
        declined: Declined,
        request: ChargeRequest,
    ) -> Settlement:
        payment.status, payment.completed_at = "declined", request.at
        payment.decline_code, payment.decline_kind = declined.code, declined.kind
        return await self.till.fall_short(session, held, order, f"{DECLINED}:{declined.code}", request.at)
