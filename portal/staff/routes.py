"""All pages of staff."""

from __future__ import annotations

from fastapi import APIRouter

from portal.staff import (
    adding,
    customer,
    differences,
    grants,
    imports,
    invoices,
    on_behalf,
    overview,
    requests,
    search,
    subscription,
    updates,
)

router = APIRouter()
for pages in (
    overview,
    search,
    customer,
    subscription,
    on_behalf,
    adding,
    updates,
    requests,
    grants,
    invoices,
    imports,
    differences,
):
    router.include_router(pages.router)
