"""Requests of customers (R27): the list, one of them, placing one as the request form does."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from db import api_pages
from db import requests as rows
from db.license_keys import masked
from db.requests import Listed, Placing, RequestRefused, UnknownRequest
from domain.request_form import Form, check_form
from portal.api.door import Reader
from portal.api.paging import Cursor, Limit, Page, after, cursor_of
from portal.api.problems import invalid, not_found, of_field, refused
from portal.api.wording import Id, LongWords, Sent, Words
from portal.api.writes import Answer, Writing, writes
from portal.means import Reading

RequestKind = Literal["add_key", "upgrade", "downgrade", "other"]

router = APIRouter(tags=["requests"])

Writes = Annotated[Writing, writes("subscriptions:write")]


class RequestWish(Sent):
    """What the request form asks; what is left out staff find out."""

    kind: RequestKind
    customer_email: Words = Field(description="the answer goes there", examples=["jo@example.com"])
    customer_name: Words = ""
    country: Words = Field("", description="ISO country", examples=["GB"])
    currency: Words = Field("", description="ISO currency", examples=["GBP"])
    license_key: Words = Field("", description="needed for `add_key`; kept sealed, never shown again")
    product: Words = Field("", examples=["SmarterMail"])
    edition: Words = ""
    size: Words = ""
    addons: Words = Field("", description="names, separated by semicolons")
    expires_on: Words = Field("", description="last covered day", examples=["2027-08-31"])
    subscription: Words = Field("", description="the id of the one that is to be changed")
    text: LongWords = Field("", description="in the customer's own words")


class LicenseRequest(BaseModel):
    """A request and what became of it; a license key is masked (R28)."""

    id: str
    kind: RequestKind
    state: Literal["open", "accepted", "declined"]
    at: datetime
    email: str
    customer: str
    subscription: str | None
    license_key: str | None
    stated: dict[str, Any] = Field(description="what was filled in of the license")
    text: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, listed: Listed) -> Self:
        """As it is listed."""
        found = listed.request
        hidden = ("last_four", "chosen", "outcome")
        ends = found.details.get("last_four")
        return cls.model_validate(
            {
                "id": found.id,
                "kind": found.kind,
                "state": found.state,
                "at": found.at,
                "email": found.email,
                "customer": listed.customer.id,
                "subscription": found.subscription_id,
                "license_key": masked(ends) if ends else None,
                "stated": {name: value for name, value in found.details.items() if name not in hidden},
                "text": found.text,
                "decided_by": found.decided_by,
                "decided_at": found.decided_at,
                "reason": found.reason,
            }
        )


class Placed(BaseModel):
    """The request, to be followed."""

    id: str
    kind: RequestKind


@router.get("/requests")
async def list_requests(
    _caller: Reader,
    reading: Reading,
    state: Literal["open", "accepted", "declined"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[LicenseRequest]:
    """Requests, oldest first."""
    (last,) = after(cursor) or [""]
    found = await api_pages.requests(reading, last, limit + 1, state)
    page = [LicenseRequest.of(listed) for listed in found[:limit]]
    return Page(data=page, next_cursor=cursor_of(found, limit, page[-1].id if page else ""))


@router.get("/requests/{request_id}")
async def show(request_id: Id, _caller: Reader, reading: Reading) -> LicenseRequest:
    """One request."""
    try:
        return LicenseRequest.of(await rows.one(reading, request_id))
    except UnknownRequest as unknown:
        raise not_found(f"There is no request {request_id!r}.") from unknown


@router.post("/requests", response_model=Placed, status_code=201)
async def place(wish: RequestWish, write: Writes) -> Response:
    """Place a request: a key to be added, another size or edition, or something else. Staff accept or decline it."""
    means = write.means
    form = check_form(wish.kind, wish.model_dump(exclude={"kind"}), means.catalogue)
    if not isinstance(form, Form):
        raise invalid(of_field(problem) for problem in form)
    placing = Placing(write.by, means.now(), means.key_ring, means.working_days.country)

    async def do() -> Answer:
        async with means.sessions.begin() as session:
            try:
                placed = await rows.place(session, placing, form)
            except RequestRefused as no:
                raise refused(f"{no}. Nothing was placed.") from no
            body = Placed(id=placed.id, kind=wish.kind)
            return await write.answer_in(session, Answer(body, 201, f"/api/v1/requests/{placed.id}"))

    return await write.once(do)
