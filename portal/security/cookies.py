"""The portal's two cookies: who is signed in, and a secret for the forms of those who are not."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from portal.means import Means

SESSION = "evergreen"
VISITOR = "evergreen-visitor"


def name(cookie: str, means: Means) -> str:
    """What the cookie is called: with https the browser itself keeps it for this host only."""
    return f"__Host-{cookie}" if means.secure else cookie


def read(request: Request, cookie: str, means: Means) -> str | None:
    """What the browser keeps for us under this name."""
    return request.cookies.get(name(cookie, means))


def keep(response: Response, cookie: str, value: str, means: Means, seconds: int | None = None) -> None:
    """Have the browser keep it, until it is closed if no time is given."""
    response.set_cookie(
        name(cookie, means),
        value,
        max_age=seconds,
        path="/",
        secure=means.secure,
        httponly=True,
        samesite="lax",
    )


def forget(response: Response, cookie: str, means: Means) -> None:
    """Have the browser forget it."""
    response.delete_cookie(name(cookie, means), path="/", secure=means.secure, httponly=True, samesite="lax")
