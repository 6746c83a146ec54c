"""Whose it is: what is not yours is not there (404), so that nobody can find out ids by trying."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException

from db import subscriptions
from db.subscriptions import Held, UnknownSubscription
from portal.security.visits import CustomerVisit


async def owned(session: AsyncSession, subscription_id: str, visitor: CustomerVisit) -> Held:
    """The subscription, if it is the visitor's."""
    try:
        held = await subscriptions.held(session, subscription_id)
    except UnknownSubscription as unknown:
        raise HTTPException(404) from unknown
    if held.customer.id != visitor.customer_id:
        raise HTTPException(404)
    return held
