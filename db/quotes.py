"""Quotes: what a change of the license costs now, line by line, kept so that exactly that is charged (R15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import grants, orders
from db.identifiers import new_id
from db.models.quote import Quote as QuoteRow
from db.subscriptions import Held
from domain import credits, ordering, pricing
from domain.catalogue import Catalogue
from domain.local_time import end_of, local_date
from domain.messages import CreditUse, Quote, QuoteLine
from domain.ordering import Charged
from domain.pricing import Bill
from domain.working_days import WorkingDays


class QuoteRefused(Exception):
    """The quote cannot be accepted (any more); the text says why."""


@dataclass(frozen=True)
class Quoting:
    """What quotes are reckoned with."""

    catalogue: Catalogue
    working_days: WorkingDays

    def bill(self, held: Held, addons: tuple[str, ...], at: datetime) -> tuple[Bill, Charged]:
        """What the add-ons cost at this instant, and which terms that is for (R14).

        Raises NotForSale, and what `pricing.addon_bill` raises.
        """
        row = held.subscription
        on = local_date(at, self.working_days.zone)
        terms = ordering.charged(held.term, row.months, row.anchor_day, row.state, on)
        loyal = row.auto_renew or held.customer.previous_customer
        country = held.customer.country
        bill = pricing.addon_bill(
            self.catalogue, held.item, addons, terms.term, on, row.currency, country, loyal, terms.next_term
        )
        return bill, terms

    async def quote(
        self, session: AsyncSession, held: Held, addons: tuple[str, ...], at: datetime, lock: bool = False
    ) -> Quote:
        """Make a quote and keep it; with `lock` it is accepted in this very transaction.

        Raises QuoteRefused when an add-on is ordered already, and what `bill` raises.
        """
        quote = await self._reckon(session, held, addons, at, new_id("quo"), lock)
        session.add(
            QuoteRow(
                id=quote.quote_id,
                subscription_id=held.subscription.id,
                at=at,
                lapses_at=quote.lapses_at,
                currency=quote.currency,
                addons=list(addons),
                lines=[line.model_dump() for line in quote.lines],
                total_minor=quote.total_minor,
                credits_minor=quote.credits_minor,
                remainder_minor=quote.remainder_minor,
                basis=quote.model_dump(mode="json"),
            )
        )
        await session.flush()
        return quote

    async def accepted(
        self, session: AsyncSession, held: Held, quote_id: str, addons: tuple[str, ...], at: datetime
    ) -> Quote:
        """The quote as it was made, if it still holds to the penny. Raises QuoteRefused, and what `bill` raises."""
        row = await session.get(QuoteRow, quote_id, with_for_update=True)
        if row is None or row.subscription_id != held.subscription.id:
            raise QuoteRefused(f"there is no quote {quote_id} for this subscription")
        if set(row.addons) != set(addons):
            raise QuoteRefused(f"quote {quote_id} is for {', '.join(row.addons)}")
        if row.used_by_order_id is not None:
            raise QuoteRefused(f"quote {quote_id} was accepted before")
        if at >= row.lapses_at:
            raise QuoteRefused(f"quote {quote_id} lapsed at midnight")
        made = Quote.model_validate(row.basis)
        now = await self._reckon(session, held, tuple(row.addons), at, quote_id, lock=True)
        if (now.lines, now.credits, now.term, now.next_term) != (
            made.lines,
            made.credits,
            made.term,
            made.next_term,
        ):
            raise QuoteRefused(f"price, term or credit have changed since quote {quote_id} was made")
        return now

    async def _reckon(
        self,
        session: AsyncSession,
        held: Held,
        addons: tuple[str, ...],
        at: datetime,
        quote_id: str,
        lock: bool,
    ) -> Quote:
        """With `lock` nobody else uses the credits before the transaction ends: what is quoted is what is used."""
        await _refuse_ordered(session, held, addons)
        bill, terms = self.bill(held, addons, at)
        on = local_date(at, self.working_days.zone)
        usable = await grants.usable_grants(session, held.customer.id, bill.currency, on, lock=lock)
        uses = credits.allocate(usable, bill.total_minor, on)
        credits_minor = sum(use.amount_minor for use in uses)
        return Quote(
            quote_id=quote_id,
            subscription_id=held.subscription.id,
            addons=addons,
            term=terms.term,
            next_term=terms.next_term,
            currency=bill.currency,
            lines=tuple(
                QuoteLine(
                    kind=line.kind,
                    description=line.description,
                    amount_minor=line.amount_minor,
                    days=line.days,
                    term_days=line.term_days,
                    rate_bp=line.rate_bp,
                )
                for line in bill.lines
            ),
            total_minor=bill.total_minor,
            credits=tuple(CreditUse(grant_id=str(u.grant_id), amount_minor=u.amount_minor) for u in uses),
            credits_minor=credits_minor,
            remainder_minor=bill.total_minor - credits_minor,
            promise_at=self.working_days.promise_time(at),
            at=at,
            lapses_at=end_of(on, self.working_days.zone),
        )


async def _refuse_ordered(session: AsyncSession, held: Held, addons: tuple[str, ...]) -> None:
    """What is paid and waits for the vendor is not on the license yet, and must not be sold twice."""
    for order in await orders.paid_changes(session, held.subscription.id):
        for addon in addons:
            if addon in order.added_addons:
                raise QuoteRefused(f"{addon!r} is ordered and paid already: the license is being updated")


async def kept(session: AsyncSession, subscription_id: str, quote_id: str) -> QuoteRow | None:
    """The quote as it was made, if it is of this subscription; nothing is locked."""
    row = await session.get(QuoteRow, quote_id)
    return row if row is not None and row.subscription_id == subscription_id else None


async def used(session: AsyncSession, quote_id: str, order_id: str) -> None:
    """The quote was accepted with this order."""
    row = await session.get(QuoteRow, quote_id)
    if row is not None:
        row.used_by_order_id = order_id
