"""What the coming renewal of a subscription costs, and which credits will pay it, as far as that is known now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from db import grants, orders
from db.subscriptions import Held
from domain import credits, pricing
from domain.catalogue import Catalogue
from domain.milestones import Milestones
from domain.pricing import Bill


@dataclass(frozen=True)
class RenewalPrice:
    """The bill, and what of it credits will pay if nothing changes (R18)."""

    bill: Bill
    credits_minor: int

    @property
    def remainder_minor(self) -> int:
        """What is left for a card."""
        return self.bill.total_minor - self.credits_minor


def renewal_bill(catalogue: Catalogue, held: Held, renews_on: date) -> Bill:
    """What the coming renewal costs at the prices of its renewal date (R12, R13, R16).

    Whoever is renewed automatically has their key stored with us and so earns the loyalty rate.
    """
    return pricing.renewal_bill(
        catalogue,
        held.item_at_renewal,
        held.subscription.currency,
        held.customer.country,
        loyal=held.subscription.auto_renew or held.customer.previous_customer,
        on=renews_on,
    )


async def expected(session: AsyncSession, catalogue: Catalogue, held: Held, plan: Milestones) -> RenewalPrice:
    """The coming renewal's price as it looks now; nothing is locked or kept. Raises the catalogue's NotOffered."""
    whole = replace(held, waiting=await orders.paid_changes(session, held.subscription.id))
    bill = renewal_bill(catalogue, whole, plan.renews_on)
    usable = await grants.usable_grants(session, held.customer.id, bill.currency, plan.renews_on, lock=False)
    used = credits.allocate(usable, bill.total_minor, plan.renews_on)
    return RenewalPrice(bill, sum(use.amount_minor for use in used))
