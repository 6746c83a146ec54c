"""What people do in the year of the demo: cancel, bring a new card, buy an add-on, ask for a refund."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from db import customers
from db.models.invoice import Invoice
from db.models.order import Order
from db.subscriptions import Held
from domain.card import Payer
from domain.catalogue import Catalogue
from domain.messages import AddAddons, Cancel
from domain.money import format_minor
from domain.tasks import RefundRequest
from payments.charge import Declined
from payments.payment_provider import PaymentProvider

DECLINING_CARD = "pm_card_chargeDeclined"
GOOD_CARD = "pm_card_visa"


@dataclass(frozen=True)
class Scene:
    """Somebody does something so many days before a license expires; `play` answers what came of it, in words."""

    held: Held
    days_before: int
    play: Callable[[Held, datetime], Awaitable[str]]

    @property
    def at(self) -> datetime:
        """When it is played."""
        return _noon(self.held.subscription.expires_on - timedelta(days=self.days_before))


@dataclass(frozen=True)
class Script:
    """The scenes of a year, each with a license that it fits."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    provider: PaymentProvider
    catalogue: Catalogue

    def scenes(self, book: Sequence[Held], today: date) -> list[Scene]:
        """One license for each scene, far enough from its expiry, none for two."""
        in_order = sorted(book, key=_by_renewal)
        far = [held for held in in_order if held.subscription.expires_on > today + timedelta(days=120)]
        with_card = [held for held in far if held.customer.card_token == GOOD_CARD]
        declining = [held for held in far if held.customer.card_token == DECLINING_CARD]
        with_choice = [held for held in with_card if self._choice(held)]
        casting: list[tuple[list[Held], int, Callable[[Held, datetime], Awaitable[str]]]] = [
            (declining, 11, self._new_card),
            (with_choice, 100, self._buy_addon),
            (with_card, 5, self._refund),
            (far, 20, self._cancel),
            (far, 10, self._cancel),
        ]
        scenes: list[Scene] = []
        for candidates, days_before, play in casting:
            cast = {scene.held.customer.id for scene in scenes}
            chosen = next((held for held in candidates if held.customer.id not in cast), None)
            if chosen is not None:
                scenes.append(Scene(chosen, days_before, play))
        return scenes

    def _choice(self, held: Held) -> list[str]:
        item = held.item
        return self.catalogue.available_addons(item.product, item.edition, item.size, item.addons)

    async def _cancel(self, held: Held, at: datetime) -> str:
        request = Cancel(by="customer", reason="demo", request_id=f"demo-{at:%Y%m%d}")
        taken = await starter.cancel(self.client, held.subscription.id, request)
        return taken.decision.sentence if taken.decision else "left for a worker"

    async def _new_card(self, held: Held, _at: datetime) -> str:
        """As the provider's page and its webhook do it: the new card is saved there, then here, then collected with."""
        customer = held.customer
        payer = Payer(customer.id, customer.email, customer.name)
        saved = await self.provider.save_card(payer, GOOD_CARD)
        if isinstance(saved, Declined):
            return f"the new card was declined: {saved.code}"
        async with self.sessions.begin() as session:
            waiting = await customers.save_card(session, saved, customer.id)
        for subscription_id in waiting:
            await starter.payment_changed(self.client, subscription_id, by="customer")
        return f"a new card ({saved.brand} {saved.last4}) after the old one was declined: collected at once"

    async def _buy_addon(self, held: Held, _at: datetime) -> str:
        addon = self._choice(held)[0]
        taken = await starter.add_addons(
            self.client,
            held.subscription.id,
            AddAddons(addons=(addon,), by="customer", request_id="demo-addon"),
        )
        answer = taken.answer
        if answer is None or answer.quote is None:
            return f"{addon}: left for a worker"
        price = format_minor(answer.quote.total_minor, answer.quote.currency)
        return f"buys {addon} for {price}: {answer.outcome} {answer.reason}"

    async def _refund(self, held: Held, at: datetime) -> str:
        query = (
            select(Invoice)
            .join(Order, Order.id == Invoice.order_id)
            .where(Order.subscription_id == held.subscription.id, Invoice.kind == "invoice")
            .order_by(Invoice.id)
        )
        async with self.sessions() as session:
            invoice = (await session.scalars(query)).first()
        if invoice is None:
            return "has no invoice to give back"
        part_minor = invoice.total_minor // 10
        request = RefundRequest(
            invoice=invoice.number,
            amount_minor=part_minor,
            reference="demo",
            by="support:demo",
            reason="a gesture",
            at=at,
        )
        done = await starter.refund(self.client, request)
        part = format_minor(part_minor, invoice.currency)
        return f"{part} of {invoice.number} given back, {len(done.payment_ids)} card refunds"


def _by_renewal(held: Held) -> tuple[date, str]:
    """An order that is the same in every demo of a day; ids are not."""
    return held.subscription.next_renews_on or held.subscription.expires_on, held.customer.email


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
