"""The answers of worker and portal to a supervisor: is it alive, and is it ready for work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import uvicorn
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError

Check = Callable[[], Awaitable[dict[str, str]]]
"""Answers what is wrong, by part; nothing when all is well."""

Warnings = Callable[[], dict[str, str]]
"""What will need somebody's attention, by part: work goes on meanwhile."""


def pages(check: Check, build_id: str, warnings: Warnings = dict) -> Starlette:
    """`/healthz`: the process lives. `/readyz`: the servers it needs answer too, else 503 and which does not."""

    async def alive(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "build": build_id})

    async def ready(_request: Request) -> JSONResponse:
        wrong = await check()
        return JSONResponse(
            {
                "status": "not ready" if wrong else "ok",
                "build": build_id,
                "wrong": wrong,
                "warnings": warnings(),
            },
            status_code=503 if wrong else 200,
        )

    return Starlette(routes=[Route("/healthz", alive), Route("/readyz", ready)])


@asynccontextmanager
async def served(app: Starlette, host: str, port: int) -> AsyncIterator[None]:
    """Serve the pages while the block runs; signals stay the caller's."""
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(
        server._serve()
    )  # serve() would take over SIGTERM, which the worker drains on
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def what_is_wrong(engine: AsyncEngine, client: Client) -> dict[str, str]:
    """Which of the servers that are needed do not answer, and how that shows."""
    wrong = {}
    try:
        async with asyncio.timeout(3), engine.connect() as connected:
            await connected.execute(text("SELECT 1"))
    except (OSError, DBAPIError, TimeoutError) as failed:
        wrong["postgresql"] = type(failed).__name__
    try:
        if not await client.service_client.check_health(timeout=timedelta(seconds=3)):
            wrong["temporal"] = "not serving"
    except RPCError as failed:
        wrong["temporal"] = failed.status.name
    return wrong
