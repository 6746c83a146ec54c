"""The life with which the workflow of a copied subscription begins: where the real one stands."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activities.intake import life_of
from activities.till import WARNED_HOURS_BEFORE
from db.models.license_update import LicenseUpdate
from db.models.order import Order
from db.subscriptions import Held
from domain.collection import RenewalDateAfterExpiry, RenewalDateTooEarly
from domain.messages import Life, Paid
from domain.milestones import Milestones, Policy
from domain.working_days import WorkingDays

TAKEN_BACK = ("void", "refunded")


@dataclass(frozen=True)
class Lives:
    """Makes lives from rows."""

    policy: Policy
    working_days: WorkingDays

    async def of(self, session: AsyncSession, held: Held) -> Life:
        """The life of one subscription, from its rows."""
        row = held.subscription
        held_plan = self.plan(held)
        if row.renews_on is not None and row.renews_on != held_plan.renews_on:
            row.renews_on = None  # its own date does not fit the notice that is assumed
        life = life_of(held, self.policy)
        return life.model_copy(
            update={
                "plan": held_plan,
                "round": await self._round(session, held),
                "failure": row.failure_reason,
                "promise_at": row.promise_at if row.state == "updating" else None,
                "promise_broken": row.promise_broken,
                "open_orders": await self._open_orders(session, row.id),
                "unpaid_orders": await self._unpaid_orders(session, row.id),
            }
        )

    def plan(self, held: Held) -> Milestones:
        """Its milestones; a renewal date of its own that does not fit the assumed notice is left aside (R4)."""
        try:
            return self.policy.milestones(held.term, held.subscription.renews_on)
        except (RenewalDateTooEarly, RenewalDateAfterExpiry):
            return self.policy.milestones(held.term)

    async def _round(self, session: AsyncSession, held: Held) -> int:
        """Which attempt at this term's renewal it is: one more after one that was taken back."""
        key = f"{held.subscription.id}/{held.term.expires_on}/renewal/"
        query = select(Order.key, Order.state).where(Order.key.startswith(key, autoescape=True))
        rounds = {int(k.rpartition("/")[2]): state for k, state in (await session.execute(query)).all()}
        latest = max(rounds, default=1)
        return latest + (rounds.get(latest) in TAKEN_BACK)

    async def _open_orders(self, session: AsyncSession, subscription_id: str) -> tuple[Paid, ...]:
        query = (
            select(Order, LicenseUpdate)
            .join(LicenseUpdate, LicenseUpdate.order_id == Order.id)
            .where(Order.subscription_id == subscription_id, Order.kind != "renewal", Order.state == "paid")
            .order_by(Order.paid_at, Order.id)
        )
        return tuple(
            Paid.model_validate(
                {
                    "order_id": order.id,
                    "update_id": update.id,
                    "kind": order.kind,
                    "channel": update.channel,
                    "paid_at": order.paid_at,
                    "warn_at": self.working_days.working_hours_before(update.promise_at, WARNED_HOURS_BEFORE),
                    "promise_at": update.promise_at,
                }
            )
            for order, update in (await session.execute(query)).all()
        )

    async def _unpaid_orders(self, session: AsyncSession, subscription_id: str) -> tuple[str, ...]:
        query = select(Order.id).where(
            Order.subscription_id == subscription_id, Order.kind != "renewal", Order.state == "open"
        )
        return tuple((await session.scalars(query.order_by(Order.ordered_at, Order.id))).all())
