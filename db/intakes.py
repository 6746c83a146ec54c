"""Storing an import's rows, and which of its subscriptions have still to be started (R26)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import arrivals, grants
from db.arrivals import Storing
from db.identifiers import new_id
from db.models.intake import Intake
from db.models.ledger import CreditGrant
from db.models.subscription import Subscription
from db.subscriptions import Held, held_query
from domain import credits
from domain.intake_row import Row

CHUNK = 1000

T = TypeVar("T")


class IntakeNotStored(LookupError):
    """The import's rows are not committed (yet)."""


@dataclass
class Counts:
    """What became of the good rows of an import."""

    rows: int = 0
    taken: int = 0
    unchanged: int = 0
    flagged: int = 0


async def store(session: AsyncSession, storing: Storing, rows: Iterable[Row]) -> Counts:
    """Store all good rows of a file in the caller's one transaction: all of them or none.

    A license key that is here already is left as it is. Statements come by the thousand rows.
    """
    await begin(session, storing)
    counts = Counts()
    for chunk in chunks(rows):
        await _store_chunk(session, storing, chunk, counts)
    await count(session, storing.intake_id, counts)
    return counts


async def begin(session: AsyncSession, storing: Storing) -> None:
    """Write the intake down, before any row of it."""
    session.add(
        Intake(
            id=storing.intake_id,
            filename=storing.filename,
            digest=storing.digest,
            requested_by=storing.requested_by,
            at=storing.at,
            state="starting",
        )
    )
    await session.flush()


async def count(session: AsyncSession, intake_id: str, counts: Counts) -> None:
    """Write down what became of its rows."""
    await session.execute(
        update(Intake)
        .where(Intake.id == intake_id)
        .values(rows=counts.rows, taken=counts.taken, unchanged=counts.unchanged, flagged=counts.flagged)
    )


async def _store_chunk(session: AsyncSession, storing: Storing, chunk: Sequence[Row], counts: Counts) -> None:
    arrived = await arrivals.take(session, storing, chunk)
    fingerprints = {id(row): storing.key_ring.fingerprint(row.license_key) for row in chunk}
    taken = [row for row in chunk if fingerprints[id(row)] in arrived.new]
    opening = [
        _opening_credit(storing, row, arrived.customer_ids[row.customer_email], fingerprints[id(row)])
        for row in taken
        if row.opening_credit_minor
    ]
    await grants.grant_all(session, opening)
    counts.rows += len(chunk)
    counts.taken += len(taken)
    counts.unchanged += len(chunk) - len(taken)
    counts.flagged += sum(row.window_closed for row in taken)


def _opening_credit(storing: Storing, row: Row, customer_id: str, fingerprint: bytes) -> CreditGrant:
    return CreditGrant(
        id=new_id("grant"),
        customer_id=customer_id,
        kind="purchase",
        currency=row.currency,
        amount_minor=row.opening_credit_minor,
        priority=credits.DEFAULT_PRIORITY,
        reference=f"opening/{fingerprint.hex()}",
        reason="opening credit of the import",
        granted_by=storing.requested_by,
        created_at=storing.at,
    )


async def not_started(session: AsyncSession, intake_id: str, limit: int) -> list[Held]:
    """Subscriptions of the import whose workflow start is not confirmed. Raises IntakeNotStored."""
    if await session.get(Intake, intake_id) is None:
        raise IntakeNotStored(f"import {intake_id} is not stored yet")
    query = (
        held_query()
        .where(Subscription.intake_id == intake_id, Subscription.started_at.is_(None))
        .order_by(Subscription.id)
        .limit(limit)
    )
    return [Held(*row) for row in (await session.execute(query)).all()]


async def mark_started(session: AsyncSession, intake_id: str, subscription_ids: Sequence[str]) -> int:
    """Note that these workflows run; answers how many of the import are left."""
    if subscription_ids:
        await session.execute(
            update(Subscription)
            .where(Subscription.id.in_(subscription_ids))
            .values(started_at=datetime.now(UTC))
        )
    left = select(func.count()).where(Subscription.intake_id == intake_id, Subscription.started_at.is_(None))
    return (await session.scalar(left)) or 0


async def finish(session: AsyncSession, intake_id: str) -> None:
    """All workflows of the import run."""
    await session.execute(
        update(Intake)
        .where(Intake.id == intake_id, Intake.state != "done")
        .values(state="done", finished_at=datetime.now(UTC))
    )


async def taken(session: AsyncSession, intake_id: str) -> int:
    """How many subscriptions the import brought, as it was written down when they were stored."""
    return await session.scalar(select(Intake.taken).where(Intake.id == intake_id)) or 0


async def progress(session: AsyncSession, intake_id: str) -> tuple[int, int]:
    """Workflows of the import that are started, and all of them."""
    query = select(func.count(Subscription.started_at), func.count()).where(
        Subscription.intake_id == intake_id
    )
    started, total = (await session.execute(query)).one()
    return started, total


def chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows by the thousand: so many go into a statement."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
