"""Coming in by a link, and going out: from here, or from everywhere.

Opening the link changes nothing: programs that look at mails follow every link. The button on its page uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from db import customers, portal_sessions, sign_in_links
from db.sign_in_links import Person, whom
from portal.means import Given, Means
from portal.pages.rendering import page, seen_next
from portal.security import cookies, limits
from portal.security.forms import Form
from portal.security.visits import Visiting, is_own_path

router = APIRouter()


@dataclass(frozen=True)
class EnterPage:
    """The model of `sign_in/enter.html`."""

    email: str
    role: str
    token: str


@dataclass(frozen=True)
class SpentPage:
    """The model of `sign_in/spent.html`: the link opens nothing."""


@dataclass(frozen=True)
class SignedOutPage:
    """The model of `sign_in/out.html`."""

    everywhere: bool


@router.get(sign_in_links.PATH + "{token}")
async def look(request: Request, token: str, visit: Visiting, means: Given) -> Response:
    """Who would be signed in by the link, and the button that does it."""
    await limits.hold(means, limits.TRY_LINK, limits.client_of(request))
    async with means.sessions() as session:
        link = await sign_in_links.usable(session, token, means.now())
        if link is None or not _still_allowed(whom(link), means):
            return page(request, "sign_in/spent.html", SpentPage(), status=410)
        customer = await customers.find(session, link.customer_id) if link.customer_id else None
    email = customer.email if customer else str(link.staff_email)
    return page(request, "sign_in/enter.html", EnterPage(email, link.role or "", token))


@router.post("/sign-in/enter")
async def enter(request: Request, form: Form, visit: Visiting, means: Given) -> Response:
    """Use the link, once: a new session under a new token, and any older one of this browser is over."""
    await limits.hold(means, limits.TRY_LINK, limits.client_of(request))
    async with means.sessions.begin() as session:
        link = await sign_in_links.use(session, form.text("token", 100), visit.secret, means.now())
        if link is None or not _still_allowed(whom(link), means):
            return page(request, "sign_in/spent.html", SpentPage(), status=410)
        onward = link.onward if is_own_path(link.onward) else "/"
        return await sign_in(session, request, visit, whom(link), means, onward)


async def sign_in(
    session: AsyncSession,
    request: Request,
    visit: Visiting,
    person: Person,
    means: Means,
    onward: str,
) -> Response:
    """Open a session for the person in this browser, in the transaction of whatever proved who they are."""
    if visit.signed_in is not None:
        await portal_sessions.close(session, visit.secret)
    token, lapses_at = await portal_sessions.open_session(session, person, means.now())
    response = seen_next(onward)
    seconds = int((lapses_at - means.now()).total_seconds())
    cookies.keep(response, cookies.SESSION, token, means, seconds)
    cookies.forget(response, cookies.VISITOR, means)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, form: Form, visit: Visiting, means: Given) -> Response:
    """Close this session; with `everywhere` all sessions of the person."""
    everywhere = form.text("everywhere") == "yes"
    if visit.signed_in is not None:
        async with means.sessions.begin() as session:
            if everywhere:
                await portal_sessions.close_all(session, visit.signed_in.person)
            else:
                await portal_sessions.close(session, visit.secret)
    response = seen_next("/signed-out/everywhere" if everywhere else "/signed-out")
    cookies.forget(response, cookies.SESSION, means)
    return response


@router.get("/signed-out")
async def signed_out(request: Request, visit: Visiting) -> Response:
    """Say that it is done."""
    return page(request, "sign_in/out.html", SignedOutPage(everywhere=False))


@router.get("/signed-out/everywhere")
async def signed_out_everywhere(request: Request, visit: Visiting) -> Response:
    """Say that it is done."""
    return page(request, "sign_in/out.html", SignedOutPage(everywhere=True))


def _still_allowed(person: Person, means: Means) -> bool:
    return person.staff_email is None or person.staff_email in means.staff
