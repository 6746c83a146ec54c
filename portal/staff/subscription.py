"""A subscription for staff: what its owner sees, and behind it orders, audit and the run in the Temporal UI."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from db import dossier
from db.dossier import OrderLine
from db.license_reveal import reveal
from db.models.customer import Customer
from db.subscriptions import Held
from domain.messages import subscription_workflow_id
from domain.outlook import why
from portal.customer.subscription import SubscriptionPage, model_of
from portal.means import Given, Means, Reading
from portal.pages.rendering import page
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Support
from portal.staff import known, records
from portal.staff.records import Line

router = APIRouter()


@dataclass(frozen=True)
class StaffSubscriptionPage:
    """The model of `staff/subscription.html`; `seen` is what its owner sees of it."""

    path: str
    id: str
    seen: SubscriptionPage
    customer: Customer
    failure: str
    execution: str
    """Its workflow in the Temporal UI; empty: we do not know where that is."""
    orders: tuple[OrderLine, ...]
    audit: tuple[Line, ...]
    renews: bool


@router.get("/staff/subscriptions/{subscription_id}")
async def whole(
    request: Request, subscription_id: str, staff: Support, means: Given, reading: Reading
) -> Response:
    """Everything on one page."""
    held = await known.subscription(reading, subscription_id)
    return page(request, "staff/subscription.html", await _model(reading, means, held))


@router.post("/staff/subscriptions/{subscription_id}/key")
async def show_key(
    request: Request, subscription_id: str, staff: Support, form: Form, means: Given, reading: Reading
) -> Response:
    """The same page with the whole key on it; who looked and why is written down (R28, R29)."""
    held = await known.subscription(reading, subscription_id)
    reason = known.reason_of(form)
    await limits.hold(means, limits.REVEAL, staff.by)
    async with means.sessions.begin() as session:
        key = await reveal(session, means.key_ring, held, staff.by, means.now(), reason)
    return page(request, "staff/subscription.html", await _model(reading, means, held, key))


async def _model(
    session: AsyncSession, means: Means, held: Held, revealed: str = ""
) -> StaffSubscriptionPage:
    row = held.subscription
    return StaffSubscriptionPage(
        path=f"/staff/subscriptions/{row.id}",
        id=row.id,
        seen=await model_of(session, means, held, revealed),
        customer=held.customer,
        failure=why(row.failure_reason) if row.failure_reason else "",
        execution=execution(means, row.id),
        orders=tuple(await dossier.orders_of(session, row.id)),
        audit=records.lines(await dossier.audit_of(session, (row.id, held.license.id))),
        renews=row.auto_renew and not row.ends_after_next,
    )


def execution(means: Means, subscription_id: str) -> str:
    """Where the Temporal UI shows the subscription's workflow: its list of runs, the newest first."""
    if not means.temporal_ui_url:
        return ""
    workflow_id = quote(subscription_workflow_id(subscription_id), safe="")
    return f"{means.temporal_ui_url}/namespaces/{means.temporal.namespace}/workflows/{workflow_id}"
