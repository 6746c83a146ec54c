"""One order between renewals: what it is, what it cost, when the license is updated; paying one that waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import Response

import starter
from db import invoice_list, orders
from db.subscriptions import Held
from domain.messages import OrderPaid
from domain.timeline import KINDS
from portal.asking import NotTaken, Refused, ask, not_taken
from portal.customer.owned import Theirs
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import flash, page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Customer

WATCHED_FOR = timedelta(minutes=10)

router = APIRouter()


@dataclass(frozen=True)
class OrderPage:
    """The model of `customer/order.html`."""

    path: str
    subscription_path: str
    subscription: str
    title: str
    kind: str
    state: str
    ordered_at: datetime
    paid_at: datetime | None
    promise_at: datetime | None
    fulfilled_at: datetime | None
    late: bool
    watched: bool
    """Done within minutes most often: so long the page looks by itself. A page left open all day does not."""
    invoice: str
    total_minor: int
    due_minor: int
    currency: str
    card_saved: bool
    request_id: str = field(default_factory=new_request_id)


@router.get("/subscriptions/{subscription_id}/orders/{order_id}")
async def one(request: Request, order_id: str, means: Given, reading: Reading, held: Theirs) -> Response:
    """How far it is."""
    return page(request, "customer/order.html", await _model(reading, means, held, order_id))


@router.get("/subscriptions/{subscription_id}/orders/{order_id}/state")
async def state(request: Request, order_id: str, means: Given, reading: Reading, held: Theirs) -> Response:
    """The part that changes, for a page that looks by itself every few seconds."""
    return page(request, "customer/order_state.html", await _model(reading, means, held, order_id))


@router.post("/subscriptions/{subscription_id}/orders/{order_id}/pay")
async def pay(
    request: Request,
    subscription_id: str,
    order_id: str,
    visitor: Customer,
    form: Form,
    means: Given,
    reading: Reading,
    held: Theirs,
) -> Response:
    """Pay it with credits and the saved card; an order is paid once, whatever is sent twice (R25)."""
    kept = await _model(reading, means, held, order_id)
    if kept.state != "open":
        return seen_next(kept.path)
    await limits.hold(means, limits.CHANGE, visitor.by)
    wish = OrderPaid(order_id=order_id, by=visitor.by, request_id=form.request_id)
    try:
        taken = await ask(starter.pay(means.temporal, subscription_id, wish))
    except NotTaken:
        return not_taken(request, form, "Your payment", kept.path)
    except Refused as no:
        await flash(means, visitor.visit, "It was not paid.", "bad", str(no))
        return seen_next(kept.path)
    answer = taken.answer
    if answer is None:
        await flash(means, visitor.visit, "Received.", "good", "It is being paid; it counts once.")
    elif answer.outcome == "accepted" and answer.paid is not None:
        await flash(means, visitor.visit, "Thank you, it is paid.", "good", "We mail you a receipt.")
    else:
        await flash(means, visitor.visit, "It was not paid.", "bad", answer.reason)
    return seen_next(kept.path)


async def _model(session: AsyncSession, means: Means, held: Held, order_id: str) -> OrderPage:
    """The order, if it is of this subscription; else 404."""
    order = await orders.of_subscription(session, held.subscription.id, order_id)
    if order is None:
        raise HTTPException(404)
    invoice = await invoice_list.of_order(session, order_id)
    subscription_path = f"/subscriptions/{held.subscription.id}"
    what = ", ".join(order.added_addons) or f"{order.target_edition} {order.target_size}"
    return OrderPage(
        path=f"{subscription_path}/orders/{order.id}",
        subscription_path=subscription_path,
        subscription=held.title,
        title=what,
        kind=KINDS[order.kind],
        state=order.state,
        ordered_at=order.ordered_at,
        paid_at=order.paid_at,
        promise_at=order.promise_at,
        fulfilled_at=order.fulfilled_at,
        late=order.state == "paid" and order.promise_at is not None and means.now() > order.promise_at,
        watched=order.state == "paid"
        and order.paid_at is not None
        and means.now() - order.paid_at < WATCHED_FOR,
        invoice=invoice.number if invoice else "",
        total_minor=invoice.total_minor if invoice else 0,
        due_minor=invoice.due_minor if invoice else 0,
        currency=invoice.currency if invoice else held.subscription.currency,
        card_saved=held.customer.card_token is not None,
    )
