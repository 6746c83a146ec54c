"""The license at the vendor: updating it, proving that, and writing down the term that begins or ends with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities import counters, letters
from activities.failures import final
from db import audit, license_updates, notices, orders, subscriptions
from db.license_keys import KeyRing
from db.license_updates import Done, Owed
from db.models.subscription import Subscription
from db.subscriptions import Held
from domain.messages import State
from domain.milestones import Milestones, Policy
from domain.tasks import (
    EndRecord,
    LicenseChange,
    OrderNote,
    PlanRequest,
    Proof,
    TermRecord,
    UpdateRecord,
    UpdateReport,
    UpdateStanding,
)
from domain.term import ONE_DAY, Term
from vendor.license_vendor import ExpiryDiffers, LicenseOrder, LicenseVendor, VendorLicense, VendorRefused


class NotProvedYet(Exception):
    """The vendor's own record does not show the update (R24): it is read again later."""


@dataclass(frozen=True)
class LicensingActivities:
    """Has licenses updated and keeps our record of them."""

    sessions: async_sessionmaker[AsyncSession]
    vendor: LicenseVendor
    key_ring: KeyRing
    policy: Policy

    @activity.defn
    async def plan(self, request: PlanRequest) -> Milestones:
        """The milestones of a term, for a subscription that was started without them."""
        return self.policy.milestones(request.term, request.renews_on, request.subscription_id)

    @activity.defn
    async def update(self, change: LicenseChange) -> Proof:
        """Update the license at the vendor and read it back (R23, R24); done once however often it is asked (R25).

        The reference is written before the first call. From the second on the vendor is asked for its outcome first.
        Final: the vendor's refusals. Not final: no answer, or a record that does not show the update yet.
        """
        async with self.sessions.begin() as session:
            owed = await license_updates.attempt(session, change.order_id, change.at)
        license_key = self.key_ring.open(owed.key_ciphertext, owed.license_id)
        with final(VendorRefused, *VendorRefused.__subclasses__()):
            if not (owed.attempted_before and await self.vendor.find(owed.reference)):
                await self._place(owed, license_key)
            return _proof(owed, await self.vendor.read(license_key))

    async def _place(self, owed: Owed, license_key: str) -> None:
        order = LicenseOrder(
            reference=owed.reference,
            license_key=license_key,
            kind=owed.kind,
            from_expires_on=owed.from_expires_on,
            to_expires_on=owed.to_expires_on,
            months=owed.months,
            addons=owed.addons,
            size=owed.size,
            edition=owed.edition,
        )
        try:
            await self.vendor.place(order)
        except ExpiryDiffers as differs:
            if differs.current != owed.to_expires_on:
                raise
            activity.logger.warning("the license is already at the new expiry: somebody else renewed it")

    @activity.defn
    async def begin_term(self, record: TermRecord) -> Milestones:
        """Write the proof down and step into the next term; answers its milestones."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, record.subscription_id, lock=True)
            done = await license_updates.done(session, held, record.order_id, record.proof, record.at)
            plan = self.policy.milestones(record.next_term, whose=record.subscription_id)
            ended_on = record.next_term.starts_on - ONE_DAY  # asked again, the row is a term further
            _step(held.subscription, record.next_term, plan, record.auto_renew, done.soonest_promise_at)
            facts = letters.held_facts(held) | (letters.plan_facts(plan) if record.auto_renew else {})
            await letters.tell(session, held, "license_updated", facts, record.at, term_expires_on=ended_on)
            await audit.record(
                session,
                actor="evergreen",
                action="renew",
                subject=record.subscription_id,
                key=f"renew/{record.order_id}",
                at=record.at,
                details={
                    "order": record.order_id,
                    "from": str(ended_on),
                    "to": str(record.proof.expires_on),
                },
            )
        if done.now_first:
            counters.renewal("renewed")
            _count_promise(done)
        return plan

    @activity.defn
    async def record_update(self, record: UpdateRecord) -> None:
        """Write the proof of an add-on's or upgrade's update down and tell the customer (R24)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, record.subscription_id, lock=True)
            done = await license_updates.done(session, held, record.order_id, record.proof, record.at)
            held.subscription.promise_at = done.soonest_promise_at
            if held.subscription.promise_at is None:
                held.subscription.promise_broken = False
            facts = letters.held_facts(held)
            await letters.tell(session, held, "license_updated", facts, record.at, record.order_id)
            await audit.record(
                session,
                actor="evergreen",
                action="license_updated",
                subject=record.subscription_id,
                at=record.at,
                key=f"license_updated/{record.order_id}",
                details={"order": record.order_id, "addons": list(record.proof.addons)},
            )
        if done.now_first:
            _count_promise(done)

    @activity.defn
    async def hand_over(self, note: OrderNote) -> None:
        """Put the update into the staff queue (R23): there it waits, soonest promise first."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id)
            await _tell_staff(session, held, "update_by_hand", note)

    @activity.defn
    async def warn(self, note: OrderNote) -> None:
        """The promise time is near and the license is not updated: warn staff (R23)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id)
            await license_updates.warned(session, note.order_id, note.at)
            await _tell_staff(session, held, "promise_soon", note)

    @activity.defn
    async def take_report(self, news: UpdateReport) -> UpdateStanding:
        """Check staff's news of an update against what was promised, and write it down (R23, R24)."""
        async with self.sessions.begin() as session:
            standing = await license_updates.report(session, news.report, news.at)
            await audit.record(
                session,
                actor=news.report.by or "unknown",
                action="update_report",
                subject=news.subscription_id,
                at=news.at,
                details=news.report.model_dump(mode="json"),
            )
            return standing

    @activity.defn
    async def flag(self, note: OrderNote) -> None:
        """The promise time has passed and the license is not updated: tell staff, go on trying (R23)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, note.subscription_id, lock=True)
            broken_now = await license_updates.late(session, note.order_id)
            held.subscription.promise_broken = True
            await _tell_staff(session, held, "promise_broken", note)
            await audit.record(
                session,
                actor="evergreen",
                action="promise_broken",
                subject=note.subscription_id,
                at=note.at,
                key=f"promise_broken/{note.order_id}",
            )
        if broken_now:
            counters.promise_broken()

    @activity.defn
    async def end(self, record: EndRecord) -> None:
        """The subscription is over: write it down and tell the customer (R7, R22)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, record.subscription_id, lock=True)
            state_before, held.subscription.state = held.subscription.state, record.state
            held.subscription.auto_renew = False
            held.subscription.next_renews_on = None
            await notices.tell(
                session,
                kind="expired" if record.state == State.EXPIRED else f"ended_{record.state}",
                customer_id=held.customer.id,
                subscription_id=held.subscription.id,
                term_expires_on=record.term.expires_on,
                facts=letters.held_facts(held),
                at=record.at,
            )
            await audit.record(
                session,
                actor="evergreen",
                action="end",
                subject=record.subscription_id,
                key=f"end/{record.subscription_id}",
                at=record.at,
                details={"state": record.state},
            )
        if record.state == State.EXPIRED != state_before:
            counters.renewal("expired")


def _count_promise(done: Done) -> None:
    if done.promise_kept:
        counters.promise_kept()


def _proof(owed: Owed, seen: VendorLicense) -> Proof:
    """The vendor's own record must show the new expiry, add-ons, size and edition (R24)."""
    shown = seen.expires_on >= owed.to_expires_on and owed.expected <= seen.addons
    if not shown or owed.dropped & seen.addons or (seen.edition, seen.size) != (owed.edition, owed.size):
        raise NotProvedYet(
            f"the vendor's record shows {seen.edition} {seen.size} to {seen.expires_on} with {sorted(seen.addons)}, "
            f"not {owed.edition} {owed.size} to {owed.to_expires_on} with {sorted(owed.expected)}"
        )
    return Proof(expires_on=seen.expires_on, addons=tuple(sorted(seen.addons)), title=owed.title)


def _step(
    subscription: Subscription, term: Term, plan: Milestones, auto_renew: bool, promise_at: datetime | None
) -> None:
    subscription.starts_on, subscription.expires_on = term.starts_on, term.expires_on
    subscription.renews_on = None
    subscription.next_renews_on = plan.renews_on if auto_renew else None
    subscription.auto_renew, subscription.ends_after_next = auto_renew, False
    subscription.drop_addons, subscription.next_edition, subscription.next_size = [], None, None
    subscription.state = State.ACTIVE if auto_renew else State.CANCELLED
    subscription.promise_at, subscription.promise_broken = promise_at, False
    subscription.failure_reason = None


async def _tell_staff(session: AsyncSession, held: Held, kind: str, note: OrderNote) -> None:
    """Staff are told all that they need to do the update (R23)."""
    update = await orders.update_of(session, note.order_id)
    facts = {
        **letters.held_facts(held),
        "reason": note.reason,
        "promise_at": update.promise_at.isoformat(),
        "order_id": note.order_id,
        "update_id": update.id,
        "to_expires_on": update.to_expires_on.isoformat(),
        "addons": list(update.target_addons),
    }
    await letters.tell(session, held, kind, facts, note.at, note.order_id, "staff")
