"""Whoever is told by webhook: a program of its own kind on loopback, which checks every signature."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from health import served


@dataclass
class Receiver:
    """Takes what it is told, or answers as it is bidden."""

    url: str = ""
    secret: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Webhook-id and body of what was taken."""
    asked: int = 0

    async def take(self, request: Request) -> Response:
        """Verify as the convention wants it, then take it."""
        self.asked += 1
        body = Webhook(self.secret).verify(await request.body(), dict(request.headers))
        if self.status < 300:
            self.taken.append((request.headers["webhook-id"], body))
        return Response(status_code=self.status, headers=self.headers)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """What it was told of this kind."""
        return [body["data"] for _id, body in self.taken if body["type"] == kind]


@asynccontextmanager
async def receiving(port: int) -> AsyncIterator[Receiver]:
    """A receiver that is there."""
    receiver = Receiver(url=f"http://127.0.0.1:{port}/told")
    app = Starlette(routes=[Route("/told", receiver.take, methods=["POST"])])
    async with served(app, "127.0.0.1", port):
        yield receiver
