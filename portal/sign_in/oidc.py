"""Signing staff in through the company's own identity provider (OpenID Connect), when one is set up.

Authorization code with PKCE. State, nonce and verifier come from the browser's own secret, so nothing is kept between
leaving and coming back. The provider proves an address, the list of staff says what it may do.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import structlog
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from db import audit
from db.sign_in_links import Person
from portal.means import Given, Means
from portal.pages.rendering import page
from portal.security import cookies, limits
from portal.security.visits import Visit, Visiting
from portal.sign_in.entering import SpentPage, sign_in
from portal.sign_in.identity_provider import IdentityProvider, NotProved

BACK = "/sign-in/staff/back"

router = APIRouter()
log = structlog.get_logger("portal.oidc")


@router.get("/sign-in/staff")
async def leave(request: Request, visit: Visiting, means: Given) -> Response:
    """On to the identity provider; 404 when none is set up."""
    provider = _provider(means)
    await limits.hold(means, limits.TRY_LINK, limits.client_of(request))
    doors = await provider.discover()
    challenge = base64.urlsafe_b64encode(sha256(derived(visit, "verifier").encode()).digest())
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": f"{means.portal_url}{BACK}",
        "scope": "openid email",
        "state": derived(visit, "state"),
        "nonce": derived(visit, "nonce"),
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    response = RedirectResponse(f"{doors['authorization_endpoint']}?{urlencode(query)}", status_code=303)
    if visit.is_new:
        cookies.keep(response, cookies.VISITOR, visit.secret, means)
    return response


@router.get(BACK)
async def come_back(
    request: Request, visit: Visiting, means: Given, code: str = "", state: str = ""
) -> Response:
    """Back from the identity provider: whoever it vouches for and is on the list of staff is signed in."""
    provider = _provider(means)
    await limits.hold(means, limits.TRY_LINK, limits.client_of(request))
    if not code or not hmac.compare_digest(state, derived(visit, "state")):
        return page(request, "sign_in/spent.html", SpentPage(), status=410)
    try:
        email = await provider.prove(
            code, f"{means.portal_url}{BACK}", derived(visit, "verifier"), derived(visit, "nonce")
        )
    except (NotProved, httpx.HTTPStatusError) as failed:
        log.warning("nobody was proved", why=str(failed) if isinstance(failed, NotProved) else "status")
        raise HTTPException(
            403, "The identity provider did not vouch for you. Try again, or ask for a link."
        ) from failed
    role = means.staff.get(email)
    if role is None:
        raise HTTPException(403, "You are signed in there, but nobody of this address works here.")
    person = Person(staff_email=email, role=role)
    async with means.sessions.begin() as session:
        await audit.record(
            session, actor=person.by, action="sign_in", subject=email, at=means.now(), details={"by": "oidc"}
        )
        return await sign_in(session, request, visit, person, means, "/staff")


def derived(visit: Visit, what: str) -> str:
    """A secret of this browser's for one purpose: 43 characters, as PKCE wants."""
    made = hmac.digest(visit.secret.encode(), f"oidc/{what}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _provider(means: Means) -> IdentityProvider:
    if means.identity_provider is None:
        raise HTTPException(404)
    return means.identity_provider
