"""Rehearsing an import: the file is forecast before it is taken, and compared with what the old system would charge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import typer
from sqlalchemy import select

from commands import forecasting, running
from commands.checked import Checked, show_problems
from commands.forecast import check_folder, check_horizon, show
from commands.forecasting import Wish
from commands.license_files import checked_file, storing_of
from commands.running import BadInput
from config import Settings
from db import intakes
from db.license_keys import KeyRing, last_four
from db.models.license import License
from db.models.subscription import Subscription
from domain.intake_row import Row
from domain.local_time import local_date
from forecast import comparison
from forecast.assumptions import Assumptions
from forecast.comparison import ChargesNotUnderstood, OldCharge
from forecast.report import Report
from forecast.scratch import Scratch
from forecast.sight import Filled
from forecast.tables import UPDATES_A_DAY


@dataclass
class Rehearsal:
    """A checked file on its way through a scratch stack. The keys in it stay in this process."""

    checked: Checked[Row]
    key_ring: KeyRing
    keys: dict[str, bytes] = field(default_factory=dict)
    """Subscription id on the scratch stack → fingerprint of the real key."""

    async def fill(self, made: Scratch) -> Filled:
        """Store the file's rows under keys that stand for the real ones; nothing is known of the cards."""
        settings, now = made.settings, datetime.now(UTC)
        storing = storing_of(settings, self.checked.file.name, self.checked.digest, "rehearsal", now)
        real: dict[bytes, tuple[bytes, str]] = {}

        def disguised() -> Iterator[Row]:
            for row in self.checked.rows():
                stands_for = f"REHEARSAL-{row.line:08d}"
                known = self.key_ring.fingerprint(row.license_key), last_four(row.license_key)
                real[storing.key_ring.fingerprint(stands_for)] = known
                yield replace(row, license_key=stands_for)

        async with made.sessions.begin() as session:
            await intakes.store(session, storing, disguised())
            query = select(License, Subscription.id).join(Subscription, Subscription.license_id == License.id)
            for license, subscription_id in (await session.execute(query)).all():
                self.keys[subscription_id], license.last_four = real[license.fingerprint]
        return Filled(now)


def rehearse(
    file: Path, until: datetime | None, compare: Path | None, out: Path | None, skip_bad: bool, as_json: bool
) -> None:
    """Check the file, forecast it by itself, compare it, and take nothing."""

    async def command() -> tuple[Checked[Row], Report | None]:
        settings = running.settings()
        if until is None:
            raise BadInput("--rehearse needs --until: the last day to forecast")
        checked = checked_file(file, settings, local_date(datetime.now(UTC), settings.zone), not as_json)
        if checked.problems and not skip_bad:
            return checked, None
        wish = Wish(check_horizon(until.date(), settings), Assumptions(), None, UPDATES_A_DAY)
        return checked, await rehearsed(checked, settings, wish, compare, check_folder(out))

    checked, made = running.run(command)
    if made is None:
        show_problems(file, checked.problems)
        raise typer.Exit(2)
    show(made, as_json)


async def rehearsed(
    checked: Checked[Row], settings: Settings, wish: Wish, compare: Path | None, out: Path | None
) -> Report:
    """The forecast of a checked file. Raises BadInput, Unreachable."""
    rehearsal = Rehearsal(checked, settings.key_ring())
    old = await asyncio.to_thread(_charges, compare, settings.key_ring(), wish.until) if compare else None
    made = await forecasting.reported(settings, wish, [rehearsal.fill])
    if old is not None:
        made = replace(made, comparison=comparison.compared(made.plain, rehearsal.keys, old))
    if out is not None:
        made.write(out)
    return made


def _charges(path: Path, key_ring: KeyRing, until: date) -> list[OldCharge]:
    """What the old system would charge up to the day. Raises BadInput."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            found = [comparison.read_row(row, line) for line, row in comparison.rows_of(lines)]
    except (OSError, UnicodeDecodeError, ChargesNotUnderstood) as wrong:
        raise BadInput(f"{path}: {wrong}") from wrong
    return [
        OldCharge(key_ring.fingerprint(key), last_four(key), on, amount_minor, currency)
        for key, on, amount_minor, currency in found
        if on <= until
    ]
