"""Differences that reconciliations found: seen again, healed, gone, accepted, told (one row each while it lasts)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit, notices
from db.identifiers import new_id
from db.models.difference import DifferenceRecord
from domain.differences import Difference, Kind

OPEN = (DifferenceRecord.healed_at.is_(None), DifferenceRecord.gone_at.is_(None))
DIFFERENCE = "dif"
"""What the id of a difference begins with."""

TOLD_AT_ONCE = 50
"""So many are named in one letter; the command shows all."""


class UnknownDifference(LookupError):
    """No open difference has this id."""


async def seen(session: AsyncSession, found: Iterable[Difference], at: datetime) -> None:
    """Write down what differs; what is known and still there is only seen again."""
    for one in found:
        row = insert(DifferenceRecord).values(
            id=new_id(DIFFERENCE),
            kind=one.kind,
            subject=one.subject,
            details=dict(one.details),
            first_seen_at=at,
            last_seen_at=at,
        )
        again = row.on_conflict_do_update(
            index_elements=["kind", "subject"],
            index_where=text("healed_at IS NULL AND gone_at IS NULL"),
            set_={"last_seen_at": at, "details": row.excluded.details},
        )
        await session.execute(again)


async def healed(session: AsyncSession, kind: Kind, subject: str, at: datetime) -> None:
    """It was mended by us; audited (R29)."""
    statement = (
        update(DifferenceRecord)
        .where(*OPEN, DifferenceRecord.kind == kind, DifferenceRecord.subject == subject)
        .values(healed_at=at)
        .returning(DifferenceRecord.id)
    )
    for difference_id in (await session.scalars(statement)).all():
        await audit.record(
            session,
            actor="evergreen",
            action="healed",
            subject=subject,
            at=at,
            details={"kind": kind},
            key=f"healed/{difference_id}",
        )


async def close_gone(session: AsyncSession, kinds: Collection[Kind], began_at: datetime) -> None:
    """Of these kinds, all of which were looked for, what was not seen is gone."""
    await session.execute(
        update(DifferenceRecord)
        .where(*OPEN, DifferenceRecord.kind.in_(kinds), DifferenceRecord.last_seen_at < began_at)
        .values(gone_at=began_at)
    )


async def tell_new(session: AsyncSession, at: datetime) -> None:
    """Tell staff in one letter of all that they were not told of yet (R6)."""
    statement = (
        update(DifferenceRecord)
        .where(DifferenceRecord.told_at.is_(None))
        .values(told_at=at)
        .returning(
            DifferenceRecord.id, DifferenceRecord.kind, DifferenceRecord.subject, DifferenceRecord.healed_at
        )
    )
    rows = sorted((await session.execute(statement)).all())
    if not rows:
        return
    lines = [{"kind": row.kind, "subject": row.subject, "healed": row.healed_at is not None} for row in rows]
    await notices.tell(
        session,
        kind="differences_found",
        customer_id=None,
        audience="staff",
        subject=rows[0].id,
        facts={
            "new": len(rows),
            "healed": sum(bool(line["healed"]) for line in lines),
            "found": lines[:TOLD_AT_ONCE],
        },
        at=at,
    )


async def counts(session: AsyncSession, began_at: datetime) -> tuple[int, int]:
    """How many were healed since then, and how many need a person."""
    query = select(
        func.count().filter(DifferenceRecord.healed_at >= began_at),
        func.count().filter(*OPEN, DifferenceRecord.accepted_at.is_(None)),
    )
    healed_count, open_count = (await session.execute(query)).one()
    return healed_count, open_count


async def listing(session: AsyncSession, since: datetime, limit: int = 1000) -> Sequence[DifferenceRecord]:
    """What needs a person, and what was healed since then; oldest first."""
    needs_a_person = OPEN[0] & OPEN[1] & DifferenceRecord.accepted_at.is_(None)
    query = (
        select(DifferenceRecord)
        .where(needs_a_person | (DifferenceRecord.healed_at >= since))
        .order_by(DifferenceRecord.first_seen_at, DifferenceRecord.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def not_seen_again(
    session: AsyncSession, kinds: Collection[Kind], began_at: datetime, after: str, limit: int
) -> Sequence[tuple[str, str]]:
    """Id and subject of those of these kinds that are open and that this run has not come upon, by id."""
    query = (
        select(DifferenceRecord.id, DifferenceRecord.subject)
        .where(
            *OPEN,
            DifferenceRecord.kind.in_(kinds),
            DifferenceRecord.last_seen_at < began_at,
            DifferenceRecord.id > after,
        )
        .order_by(DifferenceRecord.id)
        .limit(limit)
    )
    return [(row.id, row.subject) for row in (await session.execute(query)).all()]


async def accept(session: AsyncSession, difference_id: str, by: str, reason: str, at: datetime) -> None:
    """A person has looked and says that it may stay; audited (R29). Raises UnknownDifference."""
    values: dict[str, Any] = {"accepted_at": at, "accepted_by": by}
    statement = (
        update(DifferenceRecord)
        .where(*OPEN, DifferenceRecord.id == difference_id)
        .values(values)
        .returning(DifferenceRecord.subject)
    )
    subject = (await session.scalars(statement)).one_or_none()
    if subject is None:
        raise UnknownDifference(f"there is no open difference {difference_id!r}: `reconcile` lists them")
    await audit.record(
        session,
        actor=by,
        action="accept_difference",
        subject=subject,
        at=at,
        reason=reason,
        details={"difference": difference_id},
    )
