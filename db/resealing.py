"""Sealing license keys again with the current key, so that an older one may be dropped (R28); a chunk at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, LargeBinary, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db import audit
from db.license_keys import KeyRing
from db.models.license import License
from db.models.request import LicenseRequest

CHUNK = 500


async def reseal(session: AsyncSession, ring: KeyRing, by: str, at: datetime) -> int:
    """Seal the next rows again, of licenses and then of requests; how many they were, 0 when none is left.

    Rows that somebody else has locked are left for another call. Raises UnknownKeyId, KeyUnreadable.
    """
    licenses = await _licenses(session, ring)
    requests = await _requests(session, ring) if not licenses else 0
    if licenses or requests:
        await audit.record(
            session,
            actor=by,
            action="reseal",
            subject="license keys",
            at=at,
            details={"licenses": licenses, "requests": requests, "key": ring.keys.current},
        )
    return licenses + requests


async def waiting(session: AsyncSession, ring: KeyRing) -> int:
    """How many rows an older key has sealed."""
    licenses = select(func.count()).where(_older(License.key_ciphertext, ring))
    requests = select(func.count()).where(_older(LicenseRequest.license_key_ciphertext, ring))
    return (await session.scalar(licenses) or 0) + (await session.scalar(requests) or 0)


async def _licenses(session: AsyncSession, ring: KeyRing) -> int:
    older = select(License).where(_older(License.key_ciphertext, ring)).limit(CHUNK)
    rows = list(await session.scalars(older.with_for_update(skip_locked=True)))
    for row in rows:
        row.key_ciphertext = ring.seal(ring.open(row.key_ciphertext, row.id), row.id)
    return len(rows)


async def _requests(session: AsyncSession, ring: KeyRing) -> int:
    older = select(LicenseRequest).where(_older(LicenseRequest.license_key_ciphertext, ring)).limit(CHUNK)
    rows = list(await session.scalars(older.with_for_update(skip_locked=True)))
    for row in rows:
        if row.license_key_ciphertext is not None:
            row.license_key_ciphertext = ring.seal(ring.open(row.license_key_ciphertext, row.id), row.id)
    return len(rows)


def _older(
    column: InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None], ring: KeyRing
) -> ColumnElement[bool]:
    """Sealed, but not with the current key: the bytes begin otherwise."""
    header = ring.current_header
    return func.substr(column, 1, len(header), type_=LargeBinary) != literal(header, LargeBinary)
