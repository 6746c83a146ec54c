"""All pages of customers."""

from __future__ import annotations

from fastapi import APIRouter

from portal.customer import (
    adding,
    at_renewal,
    calendar,
    cancelling,
    cards,
    credits,
    invoices,
    order,
    requests,
    subscription,
    subscriptions,
)

router = APIRouter()
for pages in (
    subscriptions,
    calendar,
    cancelling,
    adding,
    at_renewal,
    order,
    subscription,
    credits,
    invoices,
    cards,
    requests,
):
    router.include_router(pages.router)
