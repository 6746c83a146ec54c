"""Add-ons: a quote, and an order at exactly that quote (R14, R15)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

import starter
from db import orders as rows
from db.orders import UnknownOrder
from db.quotes import QuoteRefused, Quoting
from domain.messages import AddAddons, OrderAnswer, Quote
from domain.not_offered import NotOffered
from domain.ordering import NotForSale
from domain.pricing import AddonAlreadyHeld, NoAddons, OutsideTerm
from portal.api.door import Reader
from portal.api.problems import not_found, refused
from portal.api.subscriptions import answer_of, held_of
from portal.api.wording import Id, Sent, Words
from portal.api.writes import Answer, Writing, writes
from portal.means import Reading

NO = (NotForSale, NotOffered, AddonAlreadyHeld, NoAddons, OutsideTerm, QuoteRefused)
"""Why something cannot be quoted."""

router = APIRouter(tags=["add-ons"])

Writes = Annotated[Writing, writes("money:write")]

Addons = Annotated[
    list[Words],
    Field(
        min_length=1, max_length=20, description="as the catalogue names them", examples=[["Message Sniffer"]]
    ),
]


class QuoteWish(Sent):
    """Which add-ons shall be quoted."""

    addons: Addons


class OrderWish(Sent):
    """Which add-ons are ordered, and at which quote."""

    addons: Addons
    quote_id: Words = Field(
        description="exactly what it says is charged, or nothing", examples=["quo_01kb2v3x5y7z9a1c3e5g7j9m1p"]
    )


class Ordered(BaseModel):
    """What became of the order; null while that is not known: look at the subscription."""

    subscription: str
    answer: OrderAnswer | None


class Order(BaseModel):
    """Something that is owed for: a renewal, add-ons, an upgrade."""

    id: str
    subscription: str
    kind: str
    state: str = Field(description="open, paid, fulfilled, refunded or void")
    addons: list[str]
    term_starts_on: date
    term_expires_on: date
    ordered_at: datetime
    paid_at: datetime | None
    promise_at: datetime | None
    fulfilled_at: datetime | None


@router.post("/subscriptions/{subscription_id}/quotes", response_model=Quote, status_code=201)
async def quote(subscription_id: Id, wish: QuoteWish, write: Writes) -> Response:
    """Quote add-ons for the rest of the term, line by line; the quote holds until midnight."""

    async def do() -> Answer:
        means, addons = write.means, tuple(dict.fromkeys(wish.addons))
        async with means.sessions.begin() as session:
            held = await held_of(session, subscription_id)
            try:
                made = await Quoting(means.catalogue, means.working_days).quote(
                    session, held, addons, datetime.now(UTC)
                )
            except NO as no:
                raise refused(str(no)) from no
            return await write.answer_in(session, Answer(made, 201))

    return await write.once(do)


@router.post(
    "/subscriptions/{subscription_id}/orders",
    response_model=Ordered,
    status_code=201,
    responses={202: {"model": Ordered}},
)
async def order(subscription_id: Id, wish: OrderWish, write: Writes, reading: Reading) -> Response:
    """Order add-ons at exactly their quote: credits pay first, the saved card the rest.

    A refusal (409) has a new `quote` in it where one can be made. 202: it is being done, the answer is not known yet.
    """
    addons = tuple(dict.fromkeys(wish.addons))
    request = AddAddons(addons=addons, quote_id=wish.quote_id, by=write.by, request_id=write.request_id)

    async def do() -> Answer:
        item = (await held_of(reading, subscription_id)).item
        try:  # a name that nobody knows is not left for a worker to refuse
            write.means.catalogue.check(item.product, item.edition, item.size, addons)
        except NotOffered as no:
            raise refused(str(no)) from no
        taken = await answer_of(starter.add_addons(write.means.temporal, subscription_id, request))
        return _ordered(subscription_id, taken.answer)

    return await write.once(do)


@router.get("/orders/{order_id}")
async def show(order_id: Id, _caller: Reader, reading: Reading) -> Order:
    """One order, and how far it has come."""
    try:
        found = await rows.by_id(reading, order_id)
    except UnknownOrder as unknown:
        raise not_found(str(unknown)) from unknown
    return Order(
        id=found.id,
        subscription=found.subscription_id,
        kind=found.kind,
        state=found.state,
        addons=found.added_addons,
        term_starts_on=found.term_starts_on,
        term_expires_on=found.term_expires_on,
        ordered_at=found.ordered_at,
        paid_at=found.paid_at,
        promise_at=found.promise_at,
        fulfilled_at=found.fulfilled_at,
    )


def _ordered(subscription_id: str, answer: OrderAnswer | None) -> Answer:
    if answer is not None and answer.outcome == "refused":
        anew: dict[str, Any] = {"quote": answer.quote.model_dump(mode="json")} if answer.quote else {}
        raise refused(answer.reason, **anew)
    location = f"/api/v1/orders/{answer.order_id}" if answer is not None else None
    return Answer(
        Ordered(subscription=subscription_id, answer=answer), 202 if answer is None else 201, location
    )
