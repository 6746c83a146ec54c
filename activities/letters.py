"""What notices about a subscription say (R6): amount, credits that will be used, remainder, dates; and telling it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db import notices
from db.notices import Audience, NewNotice
from db.renewal_prices import renewal_bill
from db.subscriptions import Held
from domain import credits
from domain.catalogue import Catalogue
from domain.credits import Grant
from domain.milestones import Milestones, Policy


def renewal_facts(
    catalogue: Catalogue, held: Held, plan: Milestones, usable: Sequence[Grant]
) -> dict[str, Any]:
    """The facts of a notice about the coming renewal, as JSON values."""
    bill = renewal_bill(catalogue, held, plan.renews_on)
    used_minor = sum(use.amount_minor for use in credits.allocate(usable, bill.total_minor, plan.renews_on))
    return {
        **held_facts(held),
        **plan_facts(plan),
        "total_minor": bill.total_minor,
        "credits_minor": used_minor,
        "remainder_minor": bill.total_minor - used_minor,
    }


async def tell(
    session: AsyncSession,
    held: Held,
    kind: str,
    facts: dict[str, Any],
    at: datetime,
    subject: str = "",
    audience: Audience = "customer",
    term_expires_on: date | None = None,
) -> None:
    """Put a notice about a subscription into the outbox; about its present term, unless another is given (R6)."""
    await notices.tell(
        session,
        kind=kind,
        customer_id=held.customer.id,
        subscription_id=held.subscription.id,
        term_expires_on=term_expires_on or held.subscription.expires_on,
        subject=subject,
        facts=facts,
        at=at,
        audience=audience,
    )


def held_facts(held: Held) -> dict[str, Any]:
    """What every notice about a subscription says."""
    return {
        "title": held.title,
        "last_four": held.license.last_four,
        "currency": held.subscription.currency,
        "expires_on": held.subscription.expires_on.isoformat(),
    }


def plan_facts(plan: Milestones) -> dict[str, Any]:
    """When a renewal is, and until when it can be cancelled (R6)."""
    return {"renews_on": plan.renews_on.isoformat(), "cancel_by": plan.cancel_by.isoformat()}


def due_facts(held: Held, policy: Policy, total_minor: int, due_minor: int) -> dict[str, Any]:
    """The facts of a notice about the renewal that is due now (R6)."""
    row = held.subscription
    plan = policy.milestones(held.term, row.renews_on)
    return {
        **held_facts(held),
        **plan_facts(plan),
        "total_minor": total_minor,
        "credits_minor": total_minor - due_minor,
        "remainder_minor": due_minor,
    }


def about(
    held: Held,
    kind: str,
    facts: Mapping[str, Any],
    at: datetime,
    subject: str = "",
    audience: Audience = "customer",
) -> NewNotice:
    """A notice about a subscription in its current term."""
    return NewNotice(
        kind=kind,
        customer_id=held.customer.id,
        subscription_id=held.subscription.id,
        term_expires_on=held.subscription.expires_on,
        subject=subject,
        facts=facts,
        at=at,
        audience=audience,
    )
