"""A lost reply: the work is done, then the connection is closed without a byte of an answer."""

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class HangUp(Response):
    """In place of a response: cuts the connection. Only served by `HangUpProtocol`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut, and wait until the server has noticed, else it would answer 500 for us."""
        scope["hang_up"]()
        while (await receive())["type"] != "http.disconnect":
            pass


class HangUpProtocol(H11Protocol):
    """uvicorn's HTTP, handing the application the means to cut its own connection: ASGI has none."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wrap the application for this connection."""
        super().connection_made(transport)
        application = self.app

        async def with_hang_up(scope: Any, receive: Any, send: Any) -> None:
            await application({**scope, "hang_up": transport.abort}, receive, send)

        self.app = with_hang_up
