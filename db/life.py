"""Where a subscription stands, as its row has it."""

from __future__ import annotations

from db.subscriptions import Held
from domain.messages import Life, State
from domain.milestones import Policy


def life_of(held: Held, policy: Policy) -> Life:
    """The life with which its workflow starts, and from which the words for people are made."""
    row = held.subscription
    return Life(
        subscription_id=row.id,
        customer_id=held.customer.id,
        product=held.title,
        term=held.term,
        months=row.months,
        anchor_day=row.anchor_day,
        plan=policy.milestones(held.term, row.renews_on, row.id),
        state=State(row.state),
        auto_renew=row.auto_renew,
        ends_after_next=row.ends_after_next,
        promise_at=row.promise_at,
        promise_broken=row.promise_broken,
        failure=row.failure_reason,
    )
