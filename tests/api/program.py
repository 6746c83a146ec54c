"""A program that uses the API with a token of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx

from db import api_tokens
from db.api_tokens import SCOPES
from tests.money.world import World

numbers = count(1)


@dataclass
class Program:
    """Sends requests as the billing system does."""

    http: httpx.AsyncClient
    token: str

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Read something."""
        return await self.http.get(f"/api/v1{path}", params=params)

    async def post(self, path: str, body: Any = None, key: str | None = None, **more: Any) -> httpx.Response:
        """Write something, under a key of its own unless one is given; an empty key sends none."""
        key = f"key-{next(numbers)}" if key is None else key
        headers = ({"Idempotency-Key": key} if key else {}) | more.pop("headers", {})
        sent = {"json": body} if not isinstance(body, bytes) else {"content": body}
        return await self.http.post(f"/api/v1{path}", headers=headers, **sent, **more)


@asynccontextmanager
async def program_with(
    world: World, *scopes: str, days: int = 30, by: str = "support:jo"
) -> AsyncIterator[Program]:
    """A program whose token has these scopes, else all; it expires in so many days from now."""
    now = datetime.now(UTC)
    made_at, expires_at = min(now, now + timedelta(days=days - 1)), now + timedelta(days=days)
    async with world.sessions.begin() as session:
        made = await api_tokens.make(
            session, f"billing {next(numbers)}", scopes or SCOPES, expires_at, by, made_at
        )
    headers = {"Authorization": f"Bearer {made.token}"}
    async with httpx.AsyncClient(base_url=world.portal, headers=headers, timeout=60, trust_env=False) as http:
        yield Program(http, made.token)


def is_problem(answer: httpx.Response, status: int, kind: str) -> bool:
    """Whether it is this problem, told as RFC 9457 wants it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]
    return answer.status_code == status and body["type"] == f"/api/v1/docs#{kind}"
