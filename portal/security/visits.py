"""Who asks: a signed-in customer, one of the staff, or nobody yet. The dependencies of every page are here.

async def page(visitor: Customer, means: Given, reading: Reading) -> Response: ...
async def page(visitor: Support, …)      any of the staff
async def page(visitor: Ops, …)          ops only
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from db import portal_sessions
from db.portal_sessions import NOTED_EVERY, SignedIn
from portal.means import Given, Means
from portal.security import cookies


class SignInNeeded(Exception):
    """The page is for somebody who is signed in; `onward` is where they wanted to go."""

    def __init__(self, onward: str) -> None:
        super().__init__(onward)
        self.onward = onward


@dataclass(frozen=True)
class Visit:
    """One browser. Its secret is the session's token, or a visitor's own before that."""

    secret: str = field(repr=False)
    signed_in: SignedIn | None = None
    is_new: bool = False
    """The browser does not have the secret yet."""

    @property
    def form_token(self) -> str:
        """What every form of this browser carries, and no other site can know."""
        return hmac.digest(self.secret.encode(), b"form", "sha256").hex()

    @property
    def flashes(self) -> Sequence[dict[str, Any]]:
        """What is to be said at the top of the page."""
        return self.signed_in.flashes if self.signed_in else ()


@dataclass(frozen=True)
class CustomerVisit:
    """A customer who is signed in."""

    visit: Visit
    customer_id: str
    name: str
    email: str

    @property
    def by(self) -> str:
        """How what they do is signed (R29)."""
        return f"customer:{self.customer_id}"


@dataclass(frozen=True)
class StaffVisit:
    """One of the staff who is signed in."""

    visit: Visit
    email: str
    role: str

    @property
    def by(self) -> str:
        """How what they do is signed (R29)."""
        return f"{self.role}:{self.email}"

    @property
    def is_ops(self) -> bool:
        """Whether they may do what only ops may."""
        return self.role == "ops"


async def visit_of(request: Request, means: Given) -> Visit:
    """Look the browser up; what its session has to say is taken along by the next page that is read."""
    token = cookies.read(request, cookies.SESSION, means)
    takes_flashes = (
        request.method == "GET" and "hx-request" not in request.headers
    )  # a part of a page has no top
    found = await _signed_in(token, means, takes_flashes) if token else None
    if token and found is not None:
        visit = Visit(token, found)
    else:
        kept = cookies.read(request, cookies.VISITOR, means)
        visit = Visit(kept or secrets.token_urlsafe(32), is_new=not kept)
    request.state.visit = visit
    return visit


async def _signed_in(token: str, means: Means, takes_flashes: bool) -> SignedIn | None:
    now = means.now()
    async with means.sessions.begin() as session:
        found = await portal_sessions.signed_in(session, token, now)
        if found is None:
            return None
        if found.person.staff_email is not None:  # whoever is struck off the list is out at once
            role = means.staff.get(found.person.staff_email)
            if role is None:
                return None
            found = replace(found, person=replace(found.person, role=role))
        if now - found.seen_at >= NOTED_EVERY or (found.flashes and takes_flashes):
            await portal_sessions.seen(session, token, now, said=takes_flashes)
    return found


async def ops_email(means: Means, request: Request) -> str | None:
    """Who of ops is signed in in this browser, for what is not a page; None if nobody of them is."""
    token = cookies.read(request, cookies.SESSION, means)
    found = await _signed_in(token, means, takes_flashes=False) if token else None
    return found.person.staff_email if found is not None and found.person.role == "ops" else None


Visiting = Annotated[Visit, Depends(visit_of)]
"""The browser that asks, whoever it is."""


async def _customer(request: Request, visit: Visiting) -> CustomerVisit:
    if visit.signed_in is None:
        raise SignInNeeded(onward_of(request))
    person = visit.signed_in.person
    if person.customer_id is None:
        raise HTTPException(404)
    return CustomerVisit(visit, person.customer_id, visit.signed_in.name, visit.signed_in.email)


async def _support(request: Request, visit: Visiting) -> StaffVisit:
    if visit.signed_in is None:
        raise SignInNeeded(onward_of(request))
    person = visit.signed_in.person
    if person.staff_email is None:
        raise HTTPException(404)  # for customers there is nothing here
    return StaffVisit(visit, person.staff_email, person.role or "support")


async def _ops(staff: Annotated[StaffVisit, Depends(_support)]) -> StaffVisit:
    if not staff.is_ops:
        raise HTTPException(403, "This is for ops only. Ask one of them, or go back.")
    return staff


Customer = Annotated[CustomerVisit, Depends(_customer)]
"""A signed-in customer; anybody else is led to sign in, staff find nothing here."""

Support = Annotated[StaffVisit, Depends(_support)]
"""Any of the staff."""

Ops = Annotated[StaffVisit, Depends(_ops)]
"""Ops only; support is told so (403)."""


def onward_of(request: Request) -> str:
    """Where to go on after signing in: the page that was asked for; after a form, the first one."""
    if request.method != "GET":
        return ""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def is_own_path(path: str) -> bool:
    """Whether it leads to a page of ours: never to another host, however it is written."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and len(path) <= 500
        and path.isprintable()
        and "\\" not in path
    )


def sign_in_path(onward: str) -> str:
    """The sign-in page, and where to go on from there."""
    return f"/sign-in?{urlencode({'onward': onward})}" if onward not in {"", "/"} else "/sign-in"
