"""Whose it is: what is not yours is not there (404), so that nobody can find out ids by trying."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.exceptions import HTTPException

from db import subscriptions
from db.subscriptions import Held, UnknownSubscription
from portal.means import Reading
from portal.security.visits import Customer


async def _theirs(subscription_id: str, visitor: Customer, reading: Reading) -> Held:
    try:
        held = await subscriptions.held(reading, subscription_id)
    except UnknownSubscription as unknown:
        raise HTTPException(404) from unknown
    if held.customer.id != visitor.customer_id:
        raise HTTPException(404)
    return held


Theirs = Annotated[Held, Depends(_theirs)]
"""The subscription that the path names, if it is the visitor's; else 404."""
