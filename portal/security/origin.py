"""A request that changes something must come from a page of ours: the browser itself says where it comes from.

This stands beside the token in every form (`portal.security.forms`): either alone would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE = {"GET", "HEAD", "OPTIONS"}


class SameOrigin:
    """Refuses with 403 what comes from elsewhere, except where programs come with a credential of their own."""

    def __init__(self, app: ASGIApp, programs: Sequence[str] = ()) -> None:
        self._app = app
        self._programs = tuple(programs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and scope["method"] not in SAFE:
            by_program = scope["path"].startswith(self._programs)
            if not by_program and not is_ours(Headers(scope=scope)):
                raise HTTPException(403)
        return await self._app(scope, receive, send)


def is_ours(headers: Headers) -> bool:
    """Whether a browser says that the request comes from our own page; what says nothing is no browser of today."""
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is None and origin is None:
        return False
    same_host = origin is None or urlsplit(origin).netloc == headers.get("host")
    return same_host and site in {None, "same-origin"}
