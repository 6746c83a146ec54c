"""Where an invoice is paid: credits first, then what a card paid; and what follows when nothing is due any more.

Works inside the caller's transaction. What an order is for, and the calls to the payment provider, are not here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy.ext.asyncio import AsyncSession

from activities import letters
from db import credit_use, invoices, ledger, notices, orders, payments
from db.ledger import Posting, system_account
from db.models.invoice import Invoice
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.models.payment import Payment
from db.subscriptions import Held
from domain.catalogue import Catalogue
from domain.collection import NO_CARD
from domain.local_time import local_date
from domain.messages import Channel, Paid
from domain.milestones import Policy
from domain.tasks import Settlement
from domain.term import Term
from domain.working_days import WorkingDays

WARNED_HOURS_BEFORE = 3
"""Working hours before a promise time at which staff are warned that the update is not done yet (R23)."""


@dataclass(frozen=True)
class Till:
    """Takes credits and card payments for orders."""

    catalogue: Catalogue
    working_days: WorkingDays
    policy: Policy
    cards: bool
    """Whether there is a payment provider to charge cards with."""

    def has_card(self, held: Held) -> bool:
        """Whether the customer has a card that we can charge."""
        return self.cards and held.customer.card_token is not None

    async def use_credits(
        self,
        session: AsyncSession,
        held: Held,
        order: Order,
        at: datetime,
        quoted: Collection[str] | None = None,
    ) -> Settlement:
        """Pay what credits can pay now (R18); they wait while a card payment is under way for the same money.

        `quoted` are the only grants to be used, where the order has a quote (R15).
        """
        invoice, due_minor = await invoices.of_order(session, order.id)
        live = await payments.live_charge(session, invoice.id)
        if live is None:
            on = local_date(at, self.working_days.zone)
            due_minor -= await credit_use.pay(session, held, order, invoice, due_minor, at, on, quoted)
        if not due_minor:
            return await self._complete(session, held, order, invoice, at)
        has_card = live is not None or self.has_card(held)
        return await self.fall_short(session, held, order, None if has_card else NO_CARD, at)

    async def take_card(
        self, session: AsyncSession, held: Held, order: Order, charge: Payment, at: datetime
    ) -> Settlement:
        """Book a charge that the provider has carried out, once (R25)."""
        invoice, _due_minor = await invoices.of_order(session, order.id)
        await ledger.post(
            session,
            key=charge.key,
            kind="charge",
            postings=[
                Posting(system_account("card", charge.currency), -charge.amount_minor),
                Posting(invoice.account_id, charge.amount_minor),
            ],
            currency=charge.currency,
            at=at,
            subject=order.id,
        )
        return await self._complete(session, held, order, invoice, at)

    async def fall_short(
        self,
        session: AsyncSession,
        held: Held,
        order: Order,
        failure: str | None,
        at: datetime,
        action_url: str | None = None,
    ) -> Settlement:
        """Money is missing; without a `failure` a card is there and is to be charged next."""
        invoice, due_minor = await invoices.of_order(session, order.id)
        if failure is not None:
            if order.kind == "renewal":
                held.subscription.state, held.subscription.failure_reason = "collecting", failure
            await self._tell_missing(session, held, order, invoice, due_minor, failure, at, action_url)
        return Settlement(
            order_id=order.id,
            currency=invoice.currency,
            total_minor=invoice.total_minor,
            due_minor=due_minor,
            failure=failure,
            card=failure != NO_CARD,
        )

    async def paid(self, session: AsyncSession, order: Order) -> Settlement | None:
        """The answer for an order that was paid before; None for one that is not."""
        if order.paid_at is None or order.state not in ("paid", "fulfilled"):
            return None
        invoice, due_minor = await invoices.of_order(session, order.id)
        update = await orders.update_of(session, order.id)
        return Settlement(
            order_id=order.id,
            currency=invoice.currency,
            total_minor=invoice.total_minor,
            due_minor=due_minor,
            paid=self._paid(order, update, order.paid_at),
        )

    def _paid(self, order: Order, update: LicenseUpdate, paid_at: datetime) -> Paid:
        return Paid(
            order_id=order.id,
            update_id=update.id,
            kind=cast(Literal["renewal", "addon", "upgrade"], order.kind),
            channel=cast(Channel, update.channel),
            paid_at=paid_at,
            warn_at=self.working_days.working_hours_before(update.promise_at, WARNED_HOURS_BEFORE),
            promise_at=update.promise_at,
        )

    async def _complete(
        self, session: AsyncSession, held: Held, order: Order, invoice: Invoice, at: datetime
    ) -> Settlement:
        """Nothing is due: the license update is owed by the promise time (R5, R23), the customer gets a receipt."""
        promise_at = self.working_days.promise_time(at)
        channel = self.catalogue.channel(held.license.product)
        update = orders.paid(session, order, held, at, promise_at, channel)
        await credit_use.convert_rest(session, held, order, at)
        row = held.subscription
        row.promise_at = min(row.promise_at or promise_at, promise_at)
        if order.kind == "renewal":
            row.state, row.failure_reason = "updating", None
        if order.kind == "upgrade":  # what was wished last counts: it is not to shrink again at the renewal
            row.next_edition = row.next_size = None
        charge = await payments.live_charge(session, invoice.id)
        card_minor = charge.amount_minor if charge is not None else 0
        bought = self.policy.milestones(Term(order.term_starts_on, order.term_expires_on))
        facts = {
            **letters.held_facts(held),
            **(letters.plan_facts(bought) if order.kind == "renewal" else {}),
            "invoice": invoice.number,
            "total_minor": invoice.total_minor,
            "credits_minor": invoice.total_minor - card_minor,
            "card_minor": card_minor,
            "promise_at": promise_at.isoformat(),
            "order_kind": order.kind,
            "addons": list(order.added_addons),
        }
        await notices.tell(
            session,
            kind="receipt",
            customer_id=held.customer.id,
            subscription_id=row.id,
            term_expires_on=row.expires_on,
            subject=order.id,
            facts=facts,
            at=at,
        )
        return Settlement(
            order_id=order.id,
            currency=invoice.currency,
            total_minor=invoice.total_minor,
            due_minor=0,
            paid=self._paid(order, update, at),
        )

    async def _tell_missing(
        self,
        session: AsyncSession,
        held: Held,
        order: Order,
        invoice: Invoice,
        due_minor: int,
        reason: str,
        at: datetime,
        action_url: str | None,
    ) -> None:
        if action_url is not None and order.kind != "renewal":
            return  # nobody is asked to confirm what is taken now or not at all; the refusal is told
        facts = {
            **letters.due_facts(held, self.policy, invoice.total_minor, due_minor),
            "order_kind": order.kind,
            "reason": reason,
            "action_url": action_url,
        }
        await notices.tell(
            session,
            kind="confirm_payment" if action_url else "payment_failed",
            customer_id=held.customer.id,
            subscription_id=held.subscription.id,
            term_expires_on=held.subscription.expires_on,
            subject=action_url or ("" if order.kind == "renewal" else order.id),
            facts=facts,
            at=at,
        )
