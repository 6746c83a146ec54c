"""Asking a subscription's workflow, and what can come of it besides an answer.

A wish is taken up by a worker, or left with Temporal's server, which keeps it with the time of receipt (R3). When
neither can be had it is not taken, and that is said plainly: nothing is ever half taken, and the same form sent again
counts once (R10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import Response
from temporalio.service import RPCError, RPCStatusCode

from portal.pages.rendering import page
from portal.security.forms import REQUEST_ID, TOKEN, Sent
from starter import NotRunning, NoWorker, RefusedByRule

Answer = TypeVar("Answer")

PATIENCE_SECONDS = 45.0
"""Longer than the door itself waits for any answer."""

AWAY = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.UNKNOWN,
}

log = structlog.get_logger("portal.asking")


class NotTaken(Exception):
    """The wish was not taken: no server answered. The same may be asked again."""


class Refused(Exception):
    """The workflow says no; the text is its reason, for the reader."""


@dataclass(frozen=True)
class NotTakenPage:
    """The model of `not_taken.html`: the same form again."""

    what: str
    """Like `Your cancellation`."""
    action: str
    fields: tuple[tuple[str, str], ...]
    back: str
    advice: str


async def ask(asked: Awaitable[Answer]) -> Answer:
    """The answer of one of the door's questions. Raises NotTaken, Refused."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asked
    except NotRunning as ended:
        raise Refused(
            "This subscription has ended, or is just being set up. Nothing has been changed."
        ) from ended
    except RefusedByRule as no:
        raise Refused(str(no)) from no
    except (NoWorker, TimeoutError) as nobody:
        raise NotTaken from nobody
    except RPCError as failed:
        log.warning("a wish was not taken", status=failed.status.name)
        if failed.status in AWAY:
            raise NotTaken from failed
        raise


def not_taken(request: Request, form: Sent, what: str, back: str, advice: str = "") -> Response:
    """Say that it was not taken, with the same form to be sent again; what it holds is kept."""
    kept = tuple(
        (name, value) for name, value in form.fields.multi_items() if isinstance(value, str) and name != TOKEN
    )
    assert any(name == REQUEST_ID for name, _ in kept)  # noqa: S101 — else sending it again would count twice
    model = NotTakenPage(what, request.url.path, kept, back, advice)
    return page(request, "not_taken.html", model, status=503, headers={"Retry-After": "30"})
