"""Who may come in: a token that holds, not too often, with a body in a format that is taken.

It stands before everything but the reference itself: what is sent is looked at only when it is known who sends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from db import api_tokens, rates
from db.api_tokens import SCOPES
from db.models.api import ApiToken
from db.rates import Rate
from portal.api.problems import Problem
from portal.means import Means

OPEN: Final = ("/openapi.json", "/docs")
"""The reference: it says nothing about anybody."""

FORMATS: Final = {"/imports": ("application/json", "text/csv", "application/x-ndjson")}
JSON: Final = ("application/json",)
NUL: Final = b"%00"

bearer = HTTPBearer(
    scheme_name="token", description="A token made with `evergreen token-create`.", auto_error=False
)


@dataclass(frozen=True)
class Caller:
    """The program that asks."""

    token_id: str
    name: str
    scopes: frozenset[str]

    @property
    def by(self) -> str:
        """As the audit names it (R29)."""
        return f"api:{self.name}"


class Door:
    """Lets a request in with its caller, or answers with a problem."""

    def __init__(self, app: ASGIApp, means: Means) -> None:
        self._app = app
        self._means = means

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        try:
            if path not in OPEN:
                headers = Headers(scope=scope)
                scope.setdefault("state", {})["caller"] = await self._caller(headers)
                _check_format(scope, path, headers)
        except Problem as problem:
            return await problem.response()(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _caller(self, headers: Headers) -> Caller:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise _unauthorized("no token was sent")
        now = self._means.now()
        async with self._means.sessions.begin() as session:
            found = await api_tokens.of(session, token.strip())
            if found is None:
                raise _unauthorized("nobody made this token")
            _check_holds(found, now)
            rate = Rate("api", self._means.api_requests_per_minute, timedelta(minutes=1))
            wait = await rates.count(session, rate, found.id, now)
            await api_tokens.used(session, found, now)
        if wait is not None:
            seconds = str(int(wait.total_seconds()) + 1)
            raise Problem(
                "too-often", f"More than {rate.times} requests in a minute.", headers={"Retry-After": seconds}
            )
        return Caller(found.id, found.name, frozenset(found.scopes))


def needs(scope: str) -> Any:
    """A dependency: the caller, whose token has this scope."""
    assert scope in SCOPES  # noqa: S101 — a typing error of ours, seen when the module loads

    async def allowed(request: Request, _token: Annotated[Any, Depends(bearer)]) -> Caller:
        caller: Caller = request.state.caller
        if scope not in caller.scopes:
            has = ", ".join(sorted(caller.scopes))
            raise Problem(
                "out-of-scope", f"This needs a token with the scope {scope!r}; this one has: {has}."
            )
        return caller

    return Depends(allowed)


Reader = Annotated[Caller, needs("read")]
"""Whoever may read."""


def _check_holds(found: ApiToken, now: Any) -> None:
    if found.revoked_at is not None:
        raise _unauthorized("the token was revoked")
    if found.expires_at <= now:
        raise _unauthorized(f"the token expired at {found.expires_at:%Y-%m-%d %H:%M} UTC")


def _check_format(scope: Scope, path: str, headers: Headers) -> None:
    if NUL in scope.get("raw_path", b"") or NUL in scope.get("query_string", b""):
        raise Problem("bad-request", "There is a NUL in the address.")
    if scope["method"] != "POST":
        return
    allowed = FORMATS.get(path, JSON)
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if sent not in allowed and (sent or has_body):
        raise Problem("unsupported-media-type", f"Send it as {' or '.join(allowed)}.")


def _unauthorized(why: str) -> Problem:
    return Problem(
        "unauthorized",
        f"Not let in: {why}. Make one with `evergreen token-create`.",
        headers={"WWW-Authenticate": 'Bearer realm="evergreen"'},
    )
