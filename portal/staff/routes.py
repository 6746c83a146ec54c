"""All pages of staff."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from portal.pages.rendering import page
from portal.security.visits import Support

router = APIRouter(prefix="/staff")


@dataclass(frozen=True)
class OverviewPage:
    """The model of `staff/overview.html`."""

    email: str


@router.get("")
async def overview(request: Request, staff: Support) -> Response:
    """Where staff start."""
    return page(request, "staff/overview.html", OverviewPage(staff.email))
