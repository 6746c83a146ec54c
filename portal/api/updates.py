"""License updates that are owed (R23): the queue, one of them, staff's news of it, and its key, which is audited."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from db import update_queue
from db.license_keys import masked
from db.update_queue import ExpiryNotAsPromised, QueuedUpdate, UnknownUpdate, UpdateClosed
from domain.messages import LicenseUpdated
from portal.api.door import Caller, Reader, needs
from portal.api.paging import Cursor, Limit, Page, after, cursor_of
from portal.api.problems import Fault, invalid, not_found, refused
from portal.api.subscriptions import answer_of
from portal.api.wording import Id, Sent, Words
from portal.api.writes import Answer, Writing, writes
from portal.means import Given, Reading
from reception import update_news

router = APIRouter(tags=["license updates"])

Writes = Annotated[Writing, writes("updates:write")]


class Wanted(BaseModel):
    """What the license shall be."""

    edition: str
    size: str
    addons: list[str]
    expires_on: date


class Update(BaseModel):
    """One license update and what is needed to do it; the key is asked for on its own."""

    id: str = Field(examples=["upd_01kb2v3x5y7z9a1c3e5g7j9m1p"])
    order: str
    kind: str = Field(description="renewal, addon or upgrade")
    channel: str = Field(description="api or by_hand")
    state: str = Field(description="pending, done or refused")
    subscription: str
    customer: str
    customer_name: str
    license_key: str = Field(description="masked")
    product: str
    promise_at: datetime
    paid_at: datetime | None
    late: bool
    from_expires_on: date
    wanted: Wanted
    add: list[str] = Field(description="add-ons that it does not have yet")
    drop: list[str] = Field(description="add-ons that it shall not have any more")

    @classmethod
    def of(cls, found: QueuedUpdate) -> Self:
        """As it is queued."""
        wanted = found.wanted
        return cls(
            id=found.update_id,
            order=found.order_id,
            kind=found.kind,
            channel=found.channel,
            state=found.state,
            subscription=found.subscription_id,
            customer=found.customer_id,
            customer_name=found.customer_name,
            license_key=masked(found.last_four),
            product=found.product,
            promise_at=found.promise_at,
            paid_at=found.paid_at,
            late=found.late,
            from_expires_on=wanted.from_expires_on,
            wanted=Wanted(
                edition=wanted.edition,
                size=wanted.size,
                addons=list(wanted.addons),
                expires_on=wanted.to_expires_on,
            ),
            add=list(found.to_add),
            drop=list(wanted.dropped),
        )


class Done(Sent):
    """It is done, and this is what the vendor's own record shows."""

    expires_on: date = Field(description="the last covered day", examples=["2028-08-31"])


class RefusedForGood(Sent):
    """The vendor refuses it for good."""

    reason: Words = Field(min_length=1, description="what the vendor says", examples=["RevokedKey"])


class Reported(BaseModel):
    """The update after the news; `taken` is false while no worker has written it down."""

    update: Update
    taken: bool


class Revealed(BaseModel):
    """A whole license key; that it was looked at is written down."""

    update: str
    license_key: str


@router.get("/updates")
async def list_updates(
    _caller: Reader, reading: Reading, late: bool = False, limit: Limit = 50, cursor: Cursor = None
) -> Page[Update]:
    """License updates that are owed, soonest promise first; `late`: only those past their promise time."""
    found = await update_queue.queue(reading, datetime.now(UTC), late, limit + 1, _place(cursor))
    page = [Update.of(each) for each in found[:limit]]
    last = (page[-1].promise_at.isoformat(), page[-1].id) if page else ("", "")
    return Page(data=page, next_cursor=cursor_of(found, limit, *last))


@router.get("/updates/{update_id}")
async def show(update_id: Id, _caller: Reader, reading: Reading) -> Update:
    """One license update, whatever its state."""
    return Update.of(await _one(reading, update_id))


@router.get("/updates/{update_id}/license-key")
async def reveal(update_id: Id, caller: Annotated[Caller, needs("keys:reveal")], means: Given) -> Revealed:
    """The whole license key, for whoever does the update; written to the audit (R28, R29)."""
    async with means.sessions.begin() as session:
        try:
            key = await update_queue.reveal(session, means.key_ring, update_id, caller.by, means.now())
        except UnknownUpdate as unknown:
            raise not_found(f"There is no license update {update_id!r}.") from unknown
    return Revealed(update=update_id, license_key=key)


@router.post("/updates/{update_id}/done", response_model=Reported, responses={202: {"model": Reported}})
async def done(update_id: Id, news: Done, write: Writes) -> Response:
    """Tell that an update is done; an expiry earlier than what was promised is refused: then it is not done (R24)."""
    told = LicenseUpdated(
        update_id=update_id, expires_on=news.expires_on, by=write.by, request_id=write.request_id
    )
    return await write.once(lambda: _report(write, told, "done"))


@router.post("/updates/{update_id}/refused", response_model=Reported, responses={202: {"model": Reported}})
async def refused_for_good(update_id: Id, news: RefusedForGood, write: Writes) -> Response:
    """Tell that the vendor refuses it for good: the payment is given back, the customer told."""
    if not news.reason.strip():
        raise invalid([Fault(at="body.reason", reason="it is blank", mend="Say what the vendor says.")])
    told = LicenseUpdated(update_id=update_id, refusal=news.reason, by=write.by, request_id=write.request_id)
    return await write.once(lambda: _report(write, told, "refused"))


async def _report(write: Writing, news: LicenseUpdated, wanted: str) -> Answer:
    means = write.means
    try:
        reported = await answer_of(update_news.report(means.sessions, means.temporal, news))
    except UnknownUpdate as unknown:
        raise not_found(f"There is no license update {news.update_id!r}.") from unknown
    except ExpiryNotAsPromised as no:
        raise refused(str(no)) from no
    except UpdateClosed as closed:
        async with means.sessions() as session:
            found = await _one(session, news.update_id)
        if found.state != wanted:
            raise refused(str(closed)) from closed
        return Answer(Reported(update=Update.of(found), taken=True))  # the same news again, after a crash
    body = Reported(update=Update.of(reported.update), taken=reported.taken)
    return Answer(body, 200 if reported.taken else 202)


async def _one(session: AsyncSession, update_id: str) -> QueuedUpdate:
    try:
        return await update_queue.one(session, update_id, datetime.now(UTC))
    except UnknownUpdate as unknown:
        raise not_found(f"There is no license update {update_id!r}.") from unknown


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    place = after(cursor, parts=2)
    if place is None:
        return None
    try:
        promise_at = datetime.fromisoformat(place[0])
    except ValueError:
        promise_at = None
    if promise_at is None or promise_at.tzinfo is None:
        fault = Fault(at="query.cursor", reason="this is no cursor of ours", mend="Send it as it was given.")
        raise invalid([fault])
    return promise_at, place[1]
