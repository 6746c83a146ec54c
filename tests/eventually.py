"""Waiting for what is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

PATIENCE = timedelta(seconds=100)


async def eventually(
    condition: Callable[[], Awaitable[bool]], what: str, patience: timedelta = PATIENCE
) -> None:
    """Wait for something that is on its way."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            while not await condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {patience.total_seconds():g} s for: {what}") from None
