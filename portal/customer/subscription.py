"""One subscription: the license, what happens next, what it will cost, until when it can be changed, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from db import orders, renewal_prices, timeline
from db.license_reveal import reveal
from db.life import life_of
from db.models.notice import Notice
from db.renewal_prices import RenewalPrice
from db.subscriptions import Held
from domain import outlook
from domain.messages import Life, State
from domain.not_offered import NotOffered
from domain.timeline import Event, coming
from notices import letters
from notices.letters import LetterNotWritten
from portal.customer.owned import Theirs
from portal.means import Given, Means, Reading
from portal.pages.rendering import page
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Customer

RENEWS = (State.ACTIVE, State.COLLECTING, State.UPDATING)

router = APIRouter()


@dataclass(frozen=True)
class AddonRow:
    """An add-on that the license has, or that is ordered."""

    name: str
    ordered: bool
    dropped: bool
    """The next renewal leaves it out."""


@dataclass(frozen=True)
class Change:
    """An order that is not done, or waits to be paid."""

    path: str
    text: str
    promise_at: datetime | None


@dataclass(frozen=True)
class SubscriptionPage:
    """The model of `customer/subscription.html`."""

    path: str
    title: str
    last_four: str
    state: str
    next_step: str
    starts_on: date
    expires_on: date
    renews_on: date
    cancel_by: date
    cancellable: bool
    """In time; else a cancellation is for the renewal after the next (R8)."""
    auto_renew: bool
    ends_after_next: bool
    over: bool
    currency: str
    price: RenewalPrice | None
    no_price: str
    card_saved: bool
    addons: tuple[AddonRow, ...]
    addons_available: bool
    smaller: str
    """The size and edition from the next renewal on; empty: as it is."""
    changes: tuple[Change, ...]
    failure: str
    happened: tuple[Event, ...]
    coming: tuple[Event, ...]
    revealed: str = ""
    """The whole key, when its owner asked for it."""


@router.get("/subscriptions/{subscription_id}")
async def one(request: Request, means: Given, reading: Reading, held: Theirs) -> Response:
    """The whole subscription on one page."""
    return page(request, "customer/subscription.html", await model_of(reading, means, held))


@router.post("/subscriptions/{subscription_id}/key")
async def show_key(
    request: Request, visitor: Customer, form: Form, means: Given, reading: Reading, held: Theirs
) -> Response:
    """The same page with the whole key on it, which is written down (R28)."""
    await limits.hold(means, limits.REVEAL, visitor.by)
    async with means.sessions.begin() as session:
        key = await reveal(session, means.key_ring, held, visitor.by, means.now())
    return page(request, "customer/subscription.html", await model_of(reading, means, held, key))


async def model_of(session: AsyncSession, means: Means, held: Held, revealed: str = "") -> SubscriptionPage:
    """Everything that the page tells, from the tables and the rules alone."""
    row, license = held.subscription, held.license
    now = means.now()
    waiting = await orders.paid_changes(session, row.id)
    life = life_of(held, means.policy)
    price, no_price = await _price(session, means, held, life)
    renewal = (price.bill.total_minor, price.credits_minor, price.bill.currency) if price else None
    ordered = [addon for order in waiting for addon in order.added_addons]
    return SubscriptionPage(
        path=f"/subscriptions/{row.id}",
        title=held.title,
        last_four=license.last_four,
        state=row.state,
        next_step=outlook.next_step(life),
        starts_on=row.starts_on,
        expires_on=row.expires_on,
        renews_on=life.plan.renews_on,
        cancel_by=life.plan.cancel_by,
        cancellable=now < life.plan.cancel_until and row.starts_on <= means.today(),
        auto_renew=row.auto_renew,
        ends_after_next=row.ends_after_next,
        over=row.state in (State.EXPIRED, State.REFUSED),
        currency=row.currency,
        price=price,
        no_price=no_price,
        card_saved=held.customer.card_token is not None,
        addons=(
            *(AddonRow(name, ordered=False, dropped=name in row.drop_addons) for name in license.addons),
            *(AddonRow(name, ordered=True, dropped=False) for name in ordered),
        ),
        addons_available=_can_add(means, held, ordered),
        smaller=" ".join(filter(None, (row.next_edition, row.next_size))),
        changes=await _changes(session, row.id),
        failure=row.failure_reason or "",
        happened=tuple(reversed(await timeline.happened(session, held, subject_of))),
        coming=tuple(coming(life, now, renewal)),
        revealed=revealed,
    )


def subject_of(notice: Notice) -> str:
    """A letter's subject, as it was mailed."""
    try:
        return letters.letter(notice.kind, notice.facts, "", subscription_id=notice.subscription_id).subject
    except LetterNotWritten:
        return "a letter"  # of a kind that there is no more


async def _price(
    session: AsyncSession, means: Means, held: Held, life: Life
) -> tuple[RenewalPrice | None, str]:
    """What the coming renewal costs; or why that cannot be said."""
    if life.state not in RENEWS:
        return None, ""
    try:
        return await renewal_prices.expected(session, means.catalogue, held, life.plan), ""
    except NotOffered:
        return (
            None,
            "We cannot tell the price yet: this license is not in our price list. We will write to you.",
        )


def _can_add(means: Means, held: Held, ordered: list[str]) -> bool:
    """Whether there is an add-on that the license could still get now."""
    item = held.item
    if held.subscription.state not in (State.ACTIVE, State.CANCELLED, State.UPDATING):
        return False
    try:
        return bool(
            means.catalogue.available_addons(item.product, item.edition, item.size, (*item.addons, *ordered))
        )
    except NotOffered:
        return False


async def _changes(session: AsyncSession, subscription_id: str) -> tuple[Change, ...]:
    under_way = await orders.unfinished_changes(session, subscription_id)
    return tuple(
        Change(
            f"/subscriptions/{subscription_id}/orders/{order.id}",
            ", ".join(order.added_addons) or f"{order.target_edition} {order.target_size}",
            order.promise_at,
        )
        for order in under_way
    )
