"""The life of a subscription read back from our tables, for a workflow that is started anew in the middle of it.

All that has an effect is keyed in our rows, so the new run asks for each step again and nothing is done twice (R25).
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activities.till import Till
from db import orders
from db.life import life_of
from db.models.audit import AuditRecord
from db.models.notice import Notice
from db.models.order import Order
from db.subscriptions import Held
from domain.decisions import Renewed
from domain.messages import Decision, Life, Paid, State
from domain.term import Term, term_ending

REMEMBERED = 20


async def life_again(session: AsyncSession, held: Held, till: Till) -> Life:
    """The life as the workflow that was lost would have carried it; the subscription's row is held by the caller."""
    life, row = life_of(held, till.policy), held.subscription
    renewals = await _renewals(session, held)
    last = renewals[-1] if renewals else None
    state = life.state
    if last is not None and last.state == "paid":
        state = State.UPDATING
    elif last is not None and last.state == "open" and state in (State.ACTIVE, State.UPDATING):
        state = State.COLLECTING
    over = last is not None and last.state in ("void", "refunded")
    return life.model_copy(
        update={
            "state": state,
            "round": max(1, len(renewals) + over),
            "renewed": await _renewed(session, held, till),
            "reminders_sent": await _reminders_sent(session, held, life),
            "promise_at": row.promise_at if state == State.UPDATING else None,
            "promise_broken": row.promise_broken,
            "failure": row.failure_reason,
            "open_orders": await _paid(session, held, till),
            "unpaid_orders": await _unpaid(session, held),
            "answers": await _answers(session, held),
        }
    )


async def _renewals(session: AsyncSession, held: Held) -> list[Order]:
    """The orders of this term's renewal, one a round, in order."""
    keys = [orders.renewal_key(held.subscription.id, held.term, round) for round in range(1, 100)]
    query = select(Order).where(Order.key.in_(keys)).order_by(Order.ordered_at, Order.id)
    found = list((await session.scalars(query)).all())
    return sorted(found, key=lambda order: int(order.key.rpartition("/")[2]))


async def _renewed(session: AsyncSession, held: Held, till: Till) -> Renewed | None:
    """The term before, if this one was bought by a renewal of ours (R8)."""
    query = select(Order.key).where(
        Order.subscription_id == held.subscription.id,
        Order.kind == "renewal",
        Order.state == "fulfilled",
        Order.term_expires_on == held.term.expires_on,
    )
    if (await session.scalars(query)).first() is None:
        return None
    before = term_ending(held.term.starts_on.fromordinal(held.term.starts_on.toordinal() - 1))
    plan = till.policy.milestones(Term(before.starts_on, before.expires_on))
    return Renewed(before.expires_on, plan.cancel_by, plan.term_ends_at)


async def _reminders_sent(session: AsyncSession, held: Held, life: Life) -> int:
    """Up to the last reminder that was written; one whose time passed unsent is passed over by the workflow."""
    query = select(Notice.kind).where(
        Notice.subscription_id == held.subscription.id,
        Notice.term_expires_on == held.term.expires_on,
        Notice.kind.startswith("reminder_"),
    )
    written = set((await session.scalars(query)).all())
    sent = [n for n, (days, _at) in enumerate(life.plan.reminders, 1) if f"reminder_{days}" in written]
    return max(sent, default=0)


async def _paid(session: AsyncSession, held: Held, till: Till) -> tuple[Paid, ...]:
    """Add-ons and upgrades that are paid and not done, oldest first."""
    settled = [
        await till.paid(session, order) for order in await orders.paid_changes(session, held.subscription.id)
    ]
    return tuple(settlement.paid for settlement in settled if settlement and settlement.paid)


async def _unpaid(session: AsyncSession, held: Held) -> tuple[str, ...]:
    """Orders that were begun and not paid: the customer may still pay them."""
    query = select(Order.id).where(
        Order.subscription_id == held.subscription.id, Order.kind != "renewal", Order.state == "open"
    )
    return tuple((await session.scalars(query.order_by(Order.ordered_at, Order.id))).all())


async def _answers(session: AsyncSession, held: Held) -> tuple[Decision, ...]:
    """The latest decisions, so that a repeated request is answered the same (R10)."""
    query = (
        select(AuditRecord.details)
        .where(AuditRecord.subject == held.subscription.id, AuditRecord.action.in_(("cancel", "resume")))
        .order_by(AuditRecord.id.desc())
        .limit(REMEMBERED)
    )
    latest = (await session.scalars(query)).all()
    return tuple(Decision.model_validate(details) for details in reversed(latest))
