"""Comparing our licenses with the vendor's own record, as fast as the vendor may be asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from db import differences, discrepancies
from db.license_keys import KeyRing
from db.models.license import License
from domain.catalogue import Catalogue
from domain.differences import Difference, Kind, Shape, license_difference
from domain.reconciliation import Batch, BatchDone
from vendor.license_vendor import LicenseVendor, VendorRefused, VendorUnavailable

BATCH = 100
AGAIN_SECONDS = 1
AWAY = 5
"""Not to be read so often in a row, and it is the vendor that does not answer, not a license that it stumbles over."""


@dataclass(frozen=True)
class LicenseReconciliationActivities:
    """Reads licenses back, one after another and no more than so many a second."""

    sessions: async_sessionmaker[AsyncSession]
    vendor: LicenseVendor
    key_ring: KeyRing
    catalogue: Catalogue
    per_second: float

    @activity.defn
    async def compare_licenses(self, batch: Batch) -> BatchDone:
        """The next licenses that the vendor's API shows; what somebody else changed is reported, never undone.

        An update of ours that is under way is left to its workflow: it reads the proof itself (R24). One license
        that the vendor does not answer for is reported, and does not hold up the others.
        """
        async with self.sessions() as session:
            rows = await discrepancies.licenses(session, batch.after, BATCH)
        if not rows:
            return BatchDone(checked=0)
        asked = [one for one in rows if self.catalogue.channel(one[1].product) == "api"]
        in_a_row = 0
        for subscription_id, license in asked:
            activity.heartbeat()
            try:
                found = await self._compared_again(subscription_id, license)
                in_a_row = 0
            except VendorUnavailable:
                in_a_row += 1
                if in_a_row >= min(AWAY, len(asked)):
                    raise
                facts = {"vendor": "answers for others, not for this one"}
                found = Difference(Kind.LICENSE_DIFFERS, subscription_id, facts)
            if found is not None:
                async with self.sessions.begin() as session:
                    await differences.seen(session, [found], batch.began_at)
            await asyncio.sleep(1 / self.per_second)
        return BatchDone(checked=len(asked), after=rows[-1][0])

    async def _compared_again(self, subscription_id: str, license: License) -> Difference | None:
        """At the second try, if need be: a glitch is nothing to report."""
        try:
            return await self._compared(subscription_id, license)
        except VendorUnavailable:
            await asyncio.sleep(AGAIN_SECONDS)
            return await self._compared(subscription_id, license)

    async def _compared(self, subscription_id: str, license: License) -> Difference | None:
        try:
            record = await self.vendor.read(self.key_ring.open(license.key_ciphertext, license.id))
        except VendorRefused as refused:
            facts = {"vendor": type(refused).__name__}
            return Difference(Kind.LICENSE_DIFFERS, subscription_id, facts)
        async with (
            self.sessions() as session
        ):  # after the vendor was read: what was proved meanwhile is in our row
            ours, owed = await discrepancies.shapes(session, license.id)
        seen = Shape(record.expires_on, record.edition, record.size, record.addons)
        return None if ours is None else license_difference(subscription_id, ours, seen, owed)
