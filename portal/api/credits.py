"""A customer's credits: the statement grant by grant, and a grant by staff (R17, R18)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

import starter
from db import audit, books, customers, grants
from db.customers import UnknownCustomer
from db.grants import ReferenceTaken
from db.models.customer import Customer
from domain.credits import GrantKind
from domain.money import NotMoney, UnknownCurrency, parse_minor
from portal.api.door import Reader
from portal.api.problems import Fault, invalid, not_found, refused
from portal.api.subscriptions import answer_of
from portal.api.wording import CustomerId, Sent, Words
from portal.api.writes import Answer, Writing, writes
from portal.means import Reading

MOST_MINOR = 10**12
"""More is a slip of the hand."""

router = APIRouter(tags=["credits"])

Writes = Annotated[Writing, writes("money:write")]


class Movement(BaseModel):
    """What was put on a grant (above zero) or taken off it (below zero)."""

    at: datetime
    kind: str
    subject: str = Field(description="the id of an order, an invoice, a grant")
    amount_minor: int
    balance_minor: int = Field(description="what was left after it")


class Grant(BaseModel):
    """An amount put on a customer's account; amounts are minor units of its currency."""

    id: str
    kind: GrantKind
    currency: str
    amount_minor: int
    remaining_minor: int
    reference: str
    reason: str
    priority: int
    expires_on: date | None
    movements: list[Movement]


class Statement(BaseModel):
    """All grants, oldest first."""

    customer: str
    grants: list[Grant]


class GrantWish(Sent):
    """Credit that is given."""

    amount: Words = Field(description="how much, written with its pennies", examples=["20.00"])
    currency: Words = Field(description="ISO currency", examples=["GBP"])
    reference: Words = Field(
        min_length=1,
        description="what it is for, unique for ever: the same again grants nothing",
        examples=["goodwill-17"],
    )
    reason: Words = Field(min_length=1, description="for statement and audit", examples=["apology"])
    kind: Literal["promotional", "purchase"] = "promotional"
    expires_on: date | None = Field(None, description="the last day on which it can be used")
    priority: int = Field(50, ge=0, le=100, description="lower is used first (R18)")


class Granted(BaseModel):
    """The grant; `new` is false when the reference was granted before."""

    grant: str
    customer: str
    new: bool


@router.get("/customers/{customer_id}/credits")
async def statement(customer_id: CustomerId, _caller: Reader, reading: Reading) -> Statement:
    """The credit statement: every grant, what it paid and what is left."""
    whose = await customer_of(reading, customer_id)
    found = [_grant(each) for each in await books.statement(reading, whose.id)]
    return Statement(customer=whose.id, grants=found)


@router.post(
    "/customers/{customer_id}/credits",
    response_model=Granted,
    status_code=201,
    responses={200: {"model": Granted, "description": "The reference was granted before."}},
)
async def grant(customer_id: CustomerId, wish: GrantWish, write: Writes) -> Response:
    """Put credit on a customer's account; whatever waits for money is collected at once (R22)."""
    amount_minor = _amount_minor(wish)
    if not wish.reference.strip() or not wish.reason.strip():
        raise invalid(
            [Fault(at="body", reason="reference or reason is blank", mend="Write something in both.")]
        )
    means, at = write.means, write.means.now()

    async def do() -> Answer:
        async with means.sessions.begin() as session:
            whose = await customer_of(session, customer_id)
            try:
                granted = await grants.grant(
                    session,
                    whose.id,
                    wish.kind,
                    amount_minor,
                    wish.currency,
                    reference=wish.reference,
                    reason=wish.reason,
                    by=write.by,
                    at=at,
                    expires_on=wish.expires_on,
                    priority=wish.priority,
                )
            except ReferenceTaken as taken:
                raise refused(f"The reference is taken by another grant: {taken}") from taken
            if granted.new:
                await audit.record(
                    session,
                    actor=write.by,
                    action="grant",
                    subject=granted.grant_id,
                    at=at,
                    reason=wish.reason,
                )
            waiting = await customers.waiting_for_money(session, whose.id)
        for subscription_id in waiting:  # if that fails the same request tells them, and grants nothing anew
            await answer_of(starter.payment_changed(means.temporal, subscription_id, write.by))
        body = Granted(grant=granted.grant_id, customer=whose.id, new=granted.new)
        return Answer(body, 201 if granted.new else 200, f"/api/v1/customers/{whose.id}/credits")

    return await write.once(do)


async def customer_of(session: AsyncSession, customer_id: str) -> Customer:
    """The customer of this id or e-mail address. Raises Problem."""
    try:
        return await customers.find(session, customer_id)
    except UnknownCustomer as unknown:
        raise not_found(str(unknown)) from unknown


def _amount_minor(wish: GrantWish) -> int:
    try:
        amount_minor = parse_minor(wish.amount, wish.currency)
    except (NotMoney, UnknownCurrency) as wrong:
        at = "body.currency" if isinstance(wrong, UnknownCurrency) else "body.amount"
        raise invalid([Fault(at=at, reason=str(wrong), mend='Write it like "20.00", in "GBP".')]) from wrong
    if not 0 < amount_minor <= MOST_MINOR:
        reason = "a grant is more than nothing, and less than ten thousand million"
        raise invalid([Fault(at="body.amount", reason=reason, mend='Write it like "20.00".')])
    return amount_minor


def _grant(found: books.GrantStatement) -> Grant:
    return Grant(
        id=found.grant_id,
        kind="purchase" if found.kind == "purchase" else "promotional",
        currency=found.currency,
        amount_minor=found.amount_minor,
        remaining_minor=found.remaining_minor,
        reference=found.reference,
        reason=found.reason,
        priority=found.priority,
        expires_on=found.expires_on,
        movements=[Movement.model_validate(line, from_attributes=True) for line in found.lines],
    )
