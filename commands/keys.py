"""The keys that seal license keys: rows that an older key has sealed are sealed again with the current one."""

from __future__ import annotations

from datetime import UTC, datetime

from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document
from config import Settings
from db import resealing
from db.license_keys import KeyUnreadable, UnknownKeyId


def reseal(by: By, as_json: AsJson = False) -> None:
    """Seal every license key again with the first of EVERGREEN_SECRET_KEYS; then the others may be dropped.

    Example: evergreen reseal --by ops:al
    """

    async def command() -> dict[str, int]:
        try:
            return await _resealed(running.settings(), by)
        except UnknownKeyId as gone:
            raise Refused(
                f"a row was sealed with the key {gone}, which is not in EVERGREEN_SECRET_KEYS"
            ) from gone
        except KeyUnreadable as broken:
            raise Refused(f"{broken} does not open: its row was changed, or the key is another") from broken

    told = running.run(command)
    if as_json:
        document(told)
    elif told["waiting"]:
        console.print(f"{told['resealed']} sealed again; {told['waiting']} are in use now: run it once more.")
    else:
        console.print(f"{told['resealed']} sealed again. Older keys of EVERGREEN_SECRET_KEYS may be dropped.")


async def _resealed(settings: Settings, by: str) -> dict[str, int]:
    ring, resealed, more = settings.key_ring(), 0, True
    async with running.database(settings) as sessions:
        while more:
            async with sessions.begin() as session:
                done = await resealing.reseal(session, ring, by, datetime.now(UTC))
            resealed, more = resealed + done, done > 0
        async with sessions() as session:
            return {"resealed": resealed, "waiting": await resealing.waiting(session, ring)}
