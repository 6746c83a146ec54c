"""All pages of customers."""

from __future__ import annotations

from fastapi import APIRouter

from portal.customer import subscriptions

router = APIRouter()
router.include_router(subscriptions.router)
