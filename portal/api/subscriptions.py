"""Subscriptions: the list, one of them, cancel, resume (R7–R10)."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

import starter
from db import api_pages, customers, subscriptions
from db.customers import UnknownCustomer
from db.license_keys import masked
from db.subscriptions import Held, UnknownSubscription
from domain.messages import Cancel, Decision, Resume, State
from portal import asking
from portal.api.door import Reader
from portal.api.paging import Cursor, Limit, Page, after, cursor_of
from portal.api.problems import Problem, not_found, refused
from portal.api.wording import Id, Sent, Text, Words
from portal.api.writes import Answer, Writing, writes
from portal.asking import NotTaken
from portal.means import Reading
from starter import Taken

router = APIRouter(tags=["subscriptions"])

Writes = Annotated[Writing, writes("subscriptions:write")]


class License(BaseModel):
    """A license; its key is never shown whole here (R28)."""

    key: str = Field(description="masked but for its last four characters", examples=["…7K2P"])
    product: str = Field(examples=["SmarterMail"])
    edition: str = Field(examples=["Professional"])
    size: str = Field(examples=["250"])
    addons: list[str] = Field(examples=[["Message Sniffer"]])
    vendor_expires_on: date = Field(description="as the vendor's record last showed it")


class Subscription(BaseModel):
    """Our promise to keep one license renewed, as its workflow last wrote it."""

    id: str = Field(examples=["sub_01kb2v3x5y7z9a1c3e5g7j9m1p"])
    customer: str = Field(examples=["cus_01kb2v3x5y7z9a1c3e5g7j9m1p"])
    license: License
    state: State
    currency: str = Field(examples=["GBP"])
    starts_on: date
    expires_on: date = Field(description="the last covered day")
    auto_renew: bool
    ends_after_next: bool = Field(description="a late cancellation waits for the next expiry (R8)")
    renews_on: date | None = Field(description="the coming renewal date")
    promise_at: datetime | None = Field(description="until when a paid license update is promised (R5)")
    promise_broken: bool
    failure_reason: str | None = Field(description="why money or the license is waited for")

    @classmethod
    def of(cls, held: Held) -> Self:
        """As it is held."""
        row, license = held.subscription, held.license
        return cls(
            id=row.id,
            customer=held.customer.id,
            license=License(
                key=masked(license.last_four),
                product=license.product,
                edition=license.edition,
                size=license.size,
                addons=license.addons,
                vendor_expires_on=license.vendor_expires_on,
            ),
            state=State(row.state),
            currency=row.currency,
            starts_on=row.starts_on,
            expires_on=row.expires_on,
            auto_renew=row.auto_renew,
            ends_after_next=row.ends_after_next,
            renews_on=row.next_renews_on,
            promise_at=row.promise_at,
            promise_broken=row.promise_broken,
            failure_reason=row.failure_reason,
        )


class CancelWish(Sent):
    """A cancellation."""

    reason: Words = Field("", description="why, for the audit", examples=["moved"])


class Nothing(Sent):
    """There is nothing to say."""


class Decided(BaseModel):
    """What was decided; null while no worker has decided it: it is kept, with its time of receipt (R3)."""

    subscription: str
    decision: Decision | None


@router.get("/subscriptions")
async def list_subscriptions(
    _caller: Reader,
    reading: Reading,
    state: State | None = None,
    customer: Annotated[Text, Query(description="a customer's id or e-mail address")] = None,
    key_ends: Annotated[
        str | None, Query(min_length=4, max_length=4, description="the last four characters of a license key")
    ] = None,
    renews_before: Annotated[date | None, Query(description="only those that renew before this date")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Subscription]:
    """Subscriptions in the order in which they came."""
    (last,) = after(cursor) or [""]
    customer_id = None
    if customer is not None:
        try:
            customer_id = (await customers.find(reading, customer)).id
        except UnknownCustomer:
            return Page(data=[])
    found = await api_pages.subscriptions(
        reading,
        last,
        limit + 1,
        state=state,
        customer_id=customer_id,
        last_four=key_ends,
        renews_before=renews_before,
    )
    page = [Subscription.of(held) for held in found[:limit]]
    return Page(data=page, next_cursor=cursor_of(found, limit, page[-1].id if page else ""))


@router.get("/subscriptions/{subscription_id}")
async def show(subscription_id: Id, _caller: Reader, reading: Reading) -> Subscription:
    """One subscription."""
    return Subscription.of(await held_of(reading, subscription_id))


@router.post(
    "/subscriptions/{subscription_id}/cancel", response_model=Decided, responses={202: {"model": Decided}}
)
async def cancel(
    subscription_id: Id, write: Writes, reading: Reading, wish: CancelWish | None = None
) -> Response:
    """Cancel the renewal (R7); after the cut-off this renewal goes ahead and the next expiry is the end (R8).

    202: it was received and is kept, and a worker will decide it by the time at which it was received (R3).
    """
    request = Cancel(by=write.by, reason=wish.reason if wish else "", request_id=write.request_id)

    async def do() -> Answer:
        await held_of(reading, subscription_id)
        taken = await answer_of(starter.cancel(write.means.temporal, subscription_id, request))
        return _decided(subscription_id, taken)

    return await write.once(do)


@router.post(
    "/subscriptions/{subscription_id}/resume", response_model=Decided, responses={202: {"model": Decided}}
)
async def resume(
    subscription_id: Id, write: Writes, reading: Reading, _wish: Nothing | None = None
) -> Response:
    """Renew after all, any time before the license has expired (R9). 202 as for a cancellation."""
    request = Resume(by=write.by, request_id=write.request_id)

    async def do() -> Answer:
        await held_of(reading, subscription_id)
        taken = await answer_of(starter.resume(write.means.temporal, subscription_id, request))
        return _decided(subscription_id, taken)

    return await write.once(do)


async def held_of(session: AsyncSession, subscription_id: str) -> Held:
    """The subscription of this id. Raises Problem."""
    try:
        return await subscriptions.held(session, subscription_id)
    except UnknownSubscription as unknown:
        raise not_found(str(unknown)) from unknown


async def answer_of(asked: Awaitable[asking.Answer]) -> asking.Answer:
    """What the workflow answers. Raises Problem: refused, or not taken because no server answers."""
    try:
        return await asking.ask(asked)
    except asking.Refused as no:
        raise refused(str(no)) from no
    except NotTaken as nobody:
        raise not_taken() from nobody


def not_taken() -> Problem:
    """No server took it: it may be sent again."""
    return Problem(
        "not-taken",
        "Temporal does not answer, so this was not taken and nothing was changed. Send it again with the same"
        " Idempotency-Key: it counts once.",
        headers={"Retry-After": "10"},
    )


def _decided(subscription_id: str, taken: Taken) -> Answer:
    status = 202 if taken.decision is None else 200
    return Answer(Decided(subscription=subscription_id, decision=taken.decision), status)
