"""What staff name in an address, or 404; and the reason that every change of theirs has (R29)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException

from db import audit, customers, subscriptions
from db.customers import UnknownCustomer
from db.models.customer import Customer
from db.subscriptions import Held, UnknownSubscription
from portal.means import Means
from portal.security.forms import Sent
from portal.security.visits import StaffVisit

NO_REASON = "Say why: whoever reads the audit later wants to know. Nothing has been changed."


async def subscription(session: AsyncSession, subscription_id: str) -> Held:
    """The subscription of this id; else 404."""
    try:
        return await subscriptions.held(session, subscription_id)
    except UnknownSubscription as unknown:
        raise HTTPException(404) from unknown


async def customer(session: AsyncSession, customer_id: str) -> Customer:
    """The customer of this id; else 404."""
    try:
        return await customers.find(session, customer_id)
    except UnknownCustomer as unknown:
        raise HTTPException(404) from unknown


def reason_of(form: Sent) -> str:
    """Why it is done. Raises 422 without one."""
    reason = form.text("reason")
    if not reason:
        raise HTTPException(422, NO_REASON)
    return reason


async def note(
    means: Means,
    staff: StaffVisit,
    action: str,
    subject: str,
    reason: str,
    request_id: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down why, before the workflow is asked, where what it is asked has no room for a reason (R29)."""
    async with means.sessions.begin() as session:
        await audit.record(
            session,
            actor=staff.by,
            action=action,
            subject=subject,
            at=means.now(),
            reason=reason,
            details=details,
            key=f"{action}/{request_id}",
        )
