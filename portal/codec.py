"""The codec's door: the Temporal UI and command line have payloads opened and sealed here, for staff who may see them.

    POST /codec/decode  /codec/encode     {"payloads": [{"metadata": {…}, "data": "…"}]}, as Temporal's tools send it

A page of the Temporal UI asks from another origin, so only that one origin is answered with CORS. Who asks shows a pass
(`evergreen codec-pass`) as a bearer token. A UI that can send none, as the embedded one, has a secret in its codec
address instead: /codec/<secret>/decode, which exists only where it is set.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from portal.codec_limits import LARGEST_BODY_BYTES, MOST_PAYLOADS, TooLarge, Tries, body_of
from sealing.keys import SealBroken, UnknownKeyId
from sealing.passes import Passes, PassRefused
from sealing.payloads import SealedPayloads, is_sealed

HEADERS = ("authorization", "authorization-extras", "caller-type", "content-type", "x-namespace")
"""What the Temporal UI sends along."""

log = logging.getLogger("portal.codec")

SignedIn = Callable[[Request], Awaitable[str | None]]
"""Who of the staff has signed in with this browser and may see payloads; None: nobody."""


async def nobody(_request: Request) -> str | None:
    """Nobody signs in with a browser."""
    return None


@dataclass(frozen=True)
class CodecDoor:
    """Opens and seals payloads for who may. `ui_url` is where the Temporal UI is, `ui_secret` what its address has."""

    codec: SealedPayloads
    passes: Passes
    ui_url: str = ""
    ui_secret: str = ""
    signed_in: SignedIn = nobody
    tries: Tries = field(default_factory=Tries)

    def application(self) -> Starlette:
        """To be mounted at /codec."""
        cors = Middleware(
            CORSMiddleware,
            allow_origins=[self.ui_url.rstrip("/")] if self.ui_url else [],
            allow_methods=["POST"],
            allow_headers=HEADERS,
            allow_credentials=True,
        )
        routes = [
            Route("/decode", self.decode, methods=["POST"]),
            Route("/encode", self.encode, methods=["POST"]),
        ]
        if self.ui_secret:
            routes.append(Route("/{secret}/decode", self.decode, methods=["POST"]))
            routes.append(Route("/{secret}/encode", self.encode, methods=["POST"]))
        return Starlette(routes=routes, middleware=[cors])

    async def decode(self, request: Request) -> Response:
        """The payloads opened; what is not ours, or does not open, stays as it is."""
        return await self._answer(request, self._opened)

    async def encode(self, request: Request) -> Response:
        """The payloads sealed; what is sealed already stays as it is."""
        return await self._answer(request, lambda p: p if is_sealed(p) else self.codec.sealed(p))

    async def _answer(self, request: Request, change: Callable[[Payload], Payload]) -> Response:
        address = request.client.host if request.client else ""
        if not self.tries.left(address):
            return _refusal(429, "too many refused requests: wait a minute")
        who = await self._who(request)
        if who is None:
            self.tries.note(address)
            return _refusal(
                401, "only for staff: sign in, or send `Authorization: Bearer …` (evergreen codec-pass)"
            )
        try:
            asked = json_format.Parse(await body_of(request), Payloads())
        except TooLarge:
            return _refusal(413, f"at most {LARGEST_BODY_BYTES} bytes at a time")
        except (json_format.ParseError, UnicodeDecodeError):
            return _refusal(400, 'expected {"payloads": [{"metadata": {…}, "data": "…"}]}')
        if len(asked.payloads) > MOST_PAYLOADS:
            return _refusal(413, f"at most {MOST_PAYLOADS} payloads at a time")
        log.info("%s: %d payloads for %s", request.url.path.rsplit("/", 1)[-1], len(asked.payloads), who)
        answer = Payloads(payloads=[change(payload) for payload in asked.payloads])
        return JSONResponse(json_format.MessageToDict(answer), headers={"Cache-Control": "no-store"})

    def _opened(self, payload: Payload) -> Payload:
        try:
            return self.codec.opened(payload) if is_sealed(payload) else payload
        except (UnknownKeyId, SealBroken):
            return payload  # the page shows it sealed, and everything else readable

    async def _who(self, request: Request) -> str | None:
        """Who asks; None: they may not."""
        secret = request.path_params.get("secret")
        if secret is not None:
            return (
                "the Temporal UI" if hmac.compare_digest(secret.encode(), self.ui_secret.encode()) else None
            )
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            try:
                return self.passes.holder(text.strip(), datetime.now(UTC))
            except PassRefused:
                return None
        return await self.signed_in(request)


def _refusal(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status_code=status, headers={"Cache-Control": "no-store"})
