"""Showing a whole license key to its owner or to staff, which is always written down (R28, R29)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.license_keys import KeyRing
from db.subscriptions import Held


async def reveal(
    session: AsyncSession, key_ring: KeyRing, held: Held, by: str, at: datetime, reason: str | None = None
) -> str:
    """The key, for whoever was found to be allowed it. Raises UnknownKeyId, KeyUnreadable."""
    await audit.record(
        session, actor=by, action="reveal_license_key", subject=held.subscription.id, at=at, reason=reason
    )
    return key_ring.open(held.license.key_ciphertext, held.license.id)
