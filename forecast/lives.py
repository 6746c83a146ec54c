"""The life with which the workflow of a copied subscription begins: where the real one stands (`activities.lives`)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from activities.lives import life_again
from activities.till import Till
from config import Settings
from db.subscriptions import Held
from domain.collection import RenewalDateAfterExpiry, RenewalDateTooEarly
from domain.messages import Life
from domain.milestones import Milestones, Policy


def till(rules: Settings) -> Till:
    """What reckons under these rules."""
    return Till(rules.price_list(), rules.working_days(), rules.policy(), cards=rules.charges_cards)


async def life(session: AsyncSession, held: Held, reckons: Till) -> Life:
    """The life of one subscription, from its rows; those are changed where they do not fit what is assumed."""
    row = held.subscription
    if row.renews_on is not None and row.renews_on != plan(held, reckons.policy).renews_on:
        row.renews_on = None
    return await life_again(session, held, reckons)


def plan(held: Held, policy: Policy) -> Milestones:
    """Its milestones; a renewal date of its own that does not fit the assumed notice is left aside (R4)."""
    try:
        return policy.milestones(held.term, held.subscription.renews_on)
    except (RenewalDateTooEarly, RenewalDateAfterExpiry):
        return policy.milestones(held.term)
