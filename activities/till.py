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
from db import credit_use, grants, invoices, ledger, notices, orders, payments
from db.ledger import Posting, system_account
from db.models.invoice import Invoice
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.models.payment import Payment
from db.notices import NewNotice
from db.subscriptions import Held
from domain import credits
from domain.catalogue import Catalogue
from domain.collection import NO_CARD
from domain.local_time import local_date
from domain.messages import Channel, Paid
from domain.milestones import Policy
from domain.pricing import Bill
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

    async def open_renewal(
        self, session: AsyncSession, held: Held, key: str, bought: Term, bill: Bill, at: datetime
    ) -> Settlement:
        """Order and invoice a renewal into the term `bought`, and pay what credits can pay (R18, R21).

        Nobody else knows of the order yet: nothing of it is looked up. The number, which all wait for, comes last.
        """
        on = local_date(at, self.working_days.zone)
        usable = await grants.usable_grants(session, held.customer.id, bill.currency, on)
        uses = credits.allocate(usable, bill.total_minor, on)
        due_minor = bill.total_minor - sum(use.amount_minor for use in uses)
        order = orders.renewal(session, held, key, bought, at)
        failure = None if not due_minor or self.has_card(held) else NO_CARD
        update = None if due_minor else await self._owe_update(session, held, order, at)
        if failure is not None:
            held.subscription.state, held.subscription.failure_reason = "collecting", failure
        await session.flush()
        invoice = await invoices.owe(session, order, held.customer, bill, at, uses)
        if update is not None and any(grant.bought_for == held.subscription.id for grant in usable):
            await credit_use.convert_rest(session, held, order, at)
        await invoices.number(session, invoice, bill)
        facts = letters.due_facts(held, self.policy, bill.total_minor, due_minor)
        told = [letters.about(held, "renewal_fixed", facts, at)]
        if update is not None:
            told.append(self._receipt(held, order, invoice, 0, update, at))
        elif failure is not None:
            told += self._missing(held, order, invoice, due_minor, failure, at)
        await notices.tell_all(session, told)
        if update is not None:
            return self._settled(order, invoice, update, at)
        return self._short(order, invoice, due_minor, failure)

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
            told = self._missing(held, order, invoice, due_minor, failure, at, action_url)
            await notices.tell_all(session, told)
        return self._short(order, invoice, due_minor, failure)

    def _short(self, order: Order, invoice: Invoice, due_minor: int, failure: str | None) -> Settlement:
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
        update = await self._owe_update(session, held, order, at)
        await credit_use.convert_rest(session, held, order, at)
        charge = await payments.live_charge(session, invoice.id)
        card_minor = charge.amount_minor if charge is not None else 0
        await notices.tell_all(session, [self._receipt(held, order, invoice, card_minor, update, at)])
        return self._settled(order, invoice, update, at)

    async def _owe_update(
        self, session: AsyncSession, held: Held, order: Order, at: datetime
    ) -> LicenseUpdate:
        promise_at = self.working_days.promise_time(at)
        channel = self.catalogue.channel(held.license.product)
        row = held.subscription
        row.promise_at = min(row.promise_at or promise_at, promise_at)
        if order.kind == "renewal":
            row.state, row.failure_reason = "updating", None
        if order.kind == "upgrade":  # what was wished last counts: it is not to shrink again at the renewal
            row.next_edition = row.next_size = None
        return await orders.paid(session, order, held, at, promise_at, channel)

    def _receipt(
        self,
        held: Held,
        order: Order,
        invoice: Invoice,
        card_minor: int,
        update: LicenseUpdate,
        at: datetime,
    ) -> NewNotice:
        bought = self.policy.milestones(Term(order.term_starts_on, order.term_expires_on))
        facts = {
            **letters.held_facts(held),
            **(letters.plan_facts(bought) if order.kind == "renewal" else {}),
            "invoice": invoice.number,
            "total_minor": invoice.total_minor,
            "credits_minor": invoice.total_minor - card_minor,
            "card_minor": card_minor,
            "promise_at": update.promise_at.isoformat(),
            "order_kind": order.kind,
            "addons": list(order.added_addons),
        }
        return letters.about(held, "receipt", facts, at, subject=order.id)

    def _settled(self, order: Order, invoice: Invoice, update: LicenseUpdate, at: datetime) -> Settlement:
        return Settlement(
            order_id=order.id,
            currency=invoice.currency,
            total_minor=invoice.total_minor,
            due_minor=0,
            paid=self._paid(order, update, at),
        )

    def _missing(
        self,
        held: Held,
        order: Order,
        invoice: Invoice,
        due_minor: int,
        reason: str,
        at: datetime,
        action_url: str | None = None,
    ) -> list[NewNotice]:
        if action_url is not None and order.kind != "renewal":
            return []  # nobody is asked to confirm what is taken now or not at all; the refusal is told
        facts = {
            **letters.due_facts(held, self.policy, invoice.total_minor, due_minor),
            "order_kind": order.kind,
            "reason": reason,
            "action_url": action_url,
        }
        subject = action_url or ("" if order.kind == "renewal" else order.id)
        return [
            letters.about(held, "confirm_payment" if action_url else "payment_failed", facts, at, subject)
        ]
