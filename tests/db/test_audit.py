"""Who, when, what, why: written once, never changed (R29)."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import audit
from db.models.audit import AuditRecord
from tests.db.bookkeeper import AT

Sessions = async_sessionmaker[AsyncSession]


async def test_a_change_is_written_down_with_who_when_what_and_why(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await audit.record(
            session,
            actor="staff:jo",
            action="license.revealed",
            subject="license_1",
            at=AT,
            details={"fields": ["key"]},
            reason="asked by phone",
        )
        await audit.record(session, actor="system", action="order.paid", subject="order_1", at=AT)

    async with sessions() as session:
        revealed, paid = (await session.scalars(select(AuditRecord).order_by(AuditRecord.id))).all()
    assert (revealed.actor, revealed.at, revealed.subject) == ("staff:jo", AT, "license_1")
    assert (revealed.details, revealed.reason) == ({"fields": ["key"]}, "asked by phone")
    assert (paid.details, paid.reason) == ({}, None)


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"]
)
async def test_the_audit_trail_cannot_be_changed(engine: AsyncEngine, change: str) -> None:
    """R29: append-only, by the database; the error names the rule."""
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError, match=r"append-only \(R29\)"):
            await connection.execute(text(change))


async def test_an_entry_without_an_actor_is_refused(sessions: Sessions) -> None:
    async with sessions() as session:
        with pytest.raises(IntegrityError, match="ck_audit_actor_not_blank"):
            await audit.record(session, actor=" ", action="a", subject="s", at=AT)
