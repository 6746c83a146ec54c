"""When a page cannot be shown: what is said instead, in words for its reader, and never more than they should know."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.service import RPCError

from portal.api import problems
from portal.pages.rendering import page
from portal.security.visits import SignInNeeded, sign_in_path, visit_of

log = structlog.get_logger("portal")

SOON: Final = {"Retry-After": "10"}


@dataclass(frozen=True)
class Mishap:
    """The model of `mishap.html`."""

    title: str
    sentence: str
    way_on: str = "/"
    way_on_label: str = "Go to the first page"


MISHAPS: Final = {
    400: Mishap(
        "That cannot be read",
        "Something in the address or the form is not as it should be. Go back and try again.",
    ),
    403: Mishap("Not allowed", "This may not be done from here. Nothing has been changed."),
    404: Mishap(
        "There is nothing here", "The address may be mistyped, or what was here is not yours to see."
    ),
    405: Mishap("Not this way", "This page cannot be used that way. Go back and use its buttons."),
    410: Mishap("This is over", "What was here has been used or has lapsed."),
    413: Mishap("Too much at once", "What was sent is larger than is taken here. Nothing has been changed."),
    429: Mishap("Too often", "That was asked for more often than is good. Wait a while, then try again."),
    500: Mishap(
        "Something went wrong here",
        "It is our mistake, and it is written down. Try again; if it happens again, tell us.",
    ),
    503: Mishap(
        "Not available right now",
        "One of our servers does not answer. Nothing is lost, and whatever was taken before is kept."
        " Try again in a minute.",
    ),
}


def install(app: FastAPI) -> None:
    """Have the application answer mishaps with pages."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(SignInNeeded, _sign_in_first)


class Mishaps:
    """Catches what nobody else does: an outage becomes 503, a mistake of ours 500, and both are written down."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as failed:
            if begun:
                raise
            await answer_to(Request(scope), failed)(scope, receive, send)


def answer_to(request: Request, failed: Exception) -> Response:
    """What to say of a failure."""
    if isinstance(failed, HTTPException):
        return said(request, failed.status_code, failed.detail, dict(failed.headers or {}))
    if is_outage(failed):
        log.warning("a server does not answer", path=request.url.path, failure=type(failed).__name__)
        return said(request, 503, headers=SOON)
    log.error("a page failed", path=request.url.path, exc_info=failed)
    return said(request, 500)


def is_outage(failed: BaseException) -> bool:
    """Whether a server of ours is away, rather than that we made a mistake."""
    if isinstance(failed, DBAPIError):
        return not isinstance(failed, IntegrityError | ProgrammingError | DataError)
    return isinstance(failed, OSError | TimeoutError | NoConnectionFree | RPCError)


def said(request: Request, status: int, detail: str = "", headers: dict[str, str] | None = None) -> Response:
    """The page for a status; `detail` is said instead of its own sentence. Programs get a plain line."""
    if request.url.path.startswith("/api/"):
        return problems.of_status(status, detail, headers)
    if request.url.path.startswith(("/webhooks/", "/codec/")):
        return PlainTextResponse(detail or HTTPStatus(status).phrase, status, headers)
    known = MISHAPS.get(status, MISHAPS[400 if status < 500 else 500])
    own = detail if detail and detail != HTTPStatus(status).phrase else known.sentence
    return page(
        request, "mishap.html", Mishap(known.title, own, known.way_on, known.way_on_label), status, headers
    )


async def _refused(request: Request, failed: Exception) -> Response:
    if not hasattr(request.state, "visit"):  # an address without a page: its reader is signed in all the same
        await visit_of(request, request.app.state.means)
    return answer_to(request, failed)


async def _unreadable(request: Request, failed: Exception) -> Response:
    return said(request, 404)  # an id or a number in an address that can be none


async def _sign_in_first(request: Request, failed: Exception) -> Response:
    onward = failed.onward if isinstance(failed, SignInNeeded) else ""
    return RedirectResponse(sign_in_path(onward), status_code=303)
