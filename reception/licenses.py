"""Receiving the good rows of an import: stored at once, their workflows started by a durable one (R26).

Whichever way they came, nothing is left behind when this process dies in between (decision 0005).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from db import intakes
from db.arrivals import Storing
from db.identifiers import new_id
from db.intakes import Counts
from db.license_keys import KeyRing
from domain.intake_row import Row
from domain.milestones import Policy

Look = Callable[[int, int], None]
"""Told how many of how many workflows run."""

LOOK_SECONDS = 0.1


def storing(
    filename: str, digest: bytes, by: str, at: datetime, key_ring: KeyRing, policy: Policy
) -> Storing:
    """A new intake; `digest` is the SHA-256 of what was given."""
    return Storing(
        intake_id=new_id("imp"),
        filename=filename,
        digest=digest,
        requested_by=by,
        at=at,
        key_ring=key_ring,
        policy=policy,
    )


async def take(
    sessions: async_sessionmaker[AsyncSession], client: Client, wanted: Storing, rows: Iterable[Row]
) -> Counts:
    """Store the rows, all or none; their workflows are started from then on without us. Raises RPCError."""
    await starter.start_intake(client, wanted.intake_id)
    async with sessions.begin() as session:
        return await intakes.store(session, wanted, rows)


async def see_started(
    sessions: async_sessionmaker[AsyncSession], intake_id: str, total: int, look: Look
) -> None:
    """Wait until all workflows of an intake run."""
    started = 0
    while started < total:
        async with sessions() as session:
            started, _total = await intakes.progress(session, intake_id)
        look(started, total)
        await asyncio.sleep(LOOK_SECONDS)
