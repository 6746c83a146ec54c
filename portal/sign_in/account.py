"""The first page, by who one is; and the account page, where one signs out everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from db import portal_sessions
from portal.means import Given
from portal.pages.rendering import page, seen_next
from portal.security.visits import SignInNeeded, Visiting

router = APIRouter()


@dataclass(frozen=True)
class AccountPage:
    """The model of `sign_in/account.html`."""

    name: str
    email: str
    role: str
    browsers: int


@router.get("/")
async def first(visit: Visiting) -> Response:
    """Where everybody starts."""
    if visit.signed_in is None:
        return seen_next("/sign-in")
    return seen_next("/staff" if visit.signed_in.person.customer_id is None else "/subscriptions")


@router.get("/account")
async def account(request: Request, visit: Visiting, means: Given) -> Response:
    """Who is signed in, and in how many browsers."""
    if visit.signed_in is None:
        raise SignInNeeded("/account")
    someone = visit.signed_in
    async with means.sessions() as session:
        browsers = await portal_sessions.count(session, someone.person, means.now())
    model = AccountPage(someone.name, someone.email, someone.person.role or "", browsers)
    return page(request, "sign_in/account.html", model)
