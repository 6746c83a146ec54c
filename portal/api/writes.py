"""A write and its Idempotency-Key: the same again is answered the same and has one effect (R10, R25).

    async def do() -> Answer: …
    return await write.once(do)

Whatever the workflow is asked is asked under `write.request_id`, which is derived from token, key and body: should we
die between the change and its answer, the same request finds the change made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse, Response

from db import api_writes
from db.api_writes import Answered, KeyUsedOtherwise, UnderWay
from portal.api import problems
from portal.api.door import Caller, needs
from portal.api.problems import Problem
from portal.means import Given, Means

LONGEST_KEY: Final = 200
REPLAYED: Final = "Idempotency-Replayed"
UNDECIDED: Final = 500
"""From this status on nothing was decided."""

KEY_HELP = "A text of your own, new for each new wish; the same again when you try again. Kept for 30 days."


@dataclass(frozen=True)
class Answer:
    """What a write answers: a model, with its status and where it is to be found."""

    body: BaseModel
    status: int = 200
    location: str | None = None

    @property
    def json(self) -> dict[str, Any]:
        """The body's JSON."""
        return self.body.model_dump(mode="json")


@dataclass(frozen=True)
class Writing:
    """One write on its way."""

    means: Means
    caller: Caller
    key: str
    fingerprint: bytes = field(repr=False)

    @property
    def by(self) -> str:
        """Who asks (R29)."""
        return self.caller.by

    @property
    def request_id(self) -> str:
        """By which a workflow knows a repeat (R10)."""
        digest = sha256(f"{self.caller.token_id}/{self.key}/".encode() + self.fingerprint)
        return f"api-{digest.hexdigest()[:40]}"

    async def once(self, do: Callable[[], Awaitable[Answer]]) -> Response:
        """Do it and keep the answer, or give the answer that is kept."""
        if (before := await self._claim()) is not None:
            return _response(before.status, before.body, before.location, replayed=True)
        try:
            answer = await do()
        except Problem as problem:
            if problem.kind != "refused":  # a rule's no is an answer like a yes
                await self._let_go(keep=problem.status >= UNDECIDED)
                raise
            status, body, location = problem.status, problem.body(), None
        except BaseException:
            await self._let_go(keep=True)
            raise
        else:
            status, body, location = answer.status, answer.json, answer.location
        async with self.means.sessions.begin() as session:
            await self._keep(session, status, body, location)
        return _response(status, body, location)

    async def answer_in(self, session: AsyncSession, answer: Answer) -> Answer:
        """Keep the answer in the transaction of the change itself, which has no key of its own."""
        await self._keep(session, answer.status, answer.json, answer.location)
        return answer

    async def _claim(self) -> Answered | None:
        try:
            async with self.means.sessions.begin() as session:
                return await api_writes.claim(
                    session, self.caller.token_id, self.key, self.fingerprint, self.means.now()
                )
        except KeyUsedOtherwise as otherwise:
            raise Problem(
                "key-used-otherwise", "This Idempotency-Key was sent with another body or to another address."
            ) from otherwise
        except UnderWay as busy:
            raise Problem(
                "under-way", problems.KINDS["under-way"].advice, headers={"Retry-After": "1"}
            ) from busy

    async def _keep(
        self, session: AsyncSession, status: int, body: dict[str, Any], location: str | None
    ) -> None:
        await api_writes.answered(
            session, self.caller.token_id, self.key, status, body, location, self.means.now()
        )

    async def _let_go(self, keep: bool) -> None:
        """Free the key; with `keep` for this very request only, which may have had its effect."""
        with suppress(DBAPIError, OSError, TimeoutError):  # then the lease runs out by itself
            async with self.means.sessions.begin() as session:
                free = api_writes.release if keep else api_writes.give_up
                await free(session, self.caller.token_id, self.key)


def writes(scope: str) -> Any:
    """A dependency: a write by a caller whose token has this scope."""

    allowed = needs(scope)

    async def writing(
        request: Request,
        means: Given,
        idempotency_key: Annotated[str, Header(max_length=LONGEST_KEY, description=KEY_HELP)] = "",
        caller: Caller = allowed,
    ) -> Writing:
        key = idempotency_key.strip().strip('"')
        if not key or not key.isprintable():
            raise Problem("key-missing", problems.KINDS["key-missing"].advice)
        body = await request.body()
        about = f"{request.method} {request.url.path}?{request.url.query}\n{request.headers.get('content-type', '')}"
        digest = sha256(about.encode() + b"\n" + body).hexdigest()
        return Writing(means, caller, key, means.key_ring.fingerprint(digest))

    return Depends(writing)


def _response(status: int, body: dict[str, Any], location: str | None, replayed: bool = False) -> Response:
    headers = {"Location": location} if location else {}
    if replayed:
        headers[REPLAYED] = "true"
    media_type = problems.MEDIA_TYPE if status >= 400 else "application/json"
    return JSONResponse(body, status, headers, media_type)
