"""A year forecast by the command, then really lived through with the same events, and both held line by line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from db import happenings
from db.models.ledger import Account, CreditGrant
from domain.happening import Happening
from domain.local_time import end_of
from forecast.events import COLUMNS, Event
from tests.forecast.book import LiveBook
from tests.forecast.script import Script

YEAR = timedelta(days=365)
FIGURES = ("currency", "net_minor", "tax_minor", "credits_minor", "cash_minor", "short_minor")
LINE = ("on", "subscription", "kind", *FIGURES, "promise_on", "covered_to", "reason")

LEFT = "credits left"
"""What a line begins with that is not of a happening, but of a customer's account at the end."""

Line = tuple[object, ...]
Forecast = Callable[[Path, date], Awaitable[dict[str, Any]]]
"""Forecasts to a day with the events of a file; answers the plain side of the command's document."""


@dataclass(frozen=True)
class Agreement:
    """What was foreseen and what happened, each line by line; and what customers have left, by account."""

    seen: dict[str, Any]
    foreseen: list[Line]
    happened: list[Line]

    def differences(self) -> list[str]:
        """Each line that stands on one side only; the order is compared, too."""
        foreseen, happened = Counter(self.foreseen), Counter(self.happened)
        found = [f"only foreseen: {_said(line)}" for line in (foreseen - happened).elements()]
        found += [f"only happened: {_said(line)}" for line in (happened - foreseen).elements()]
        return found or (["another order"] if self.foreseen != self.happened else [])

    def kinds(self) -> Counter[str]:
        """How many lines there are of each kind."""
        return Counter(str(line[LINE.index("kind")]) for line in self.happened if line[0] != LEFT)


async def agreement(live: LiveBook, script: Script, folder: Path, forecast: Forecast) -> Agreement:
    """Forecast a year of a book that stands, live through it, and read both."""
    world, until = live.world, live.today + YEAR
    await live.do(script.before)
    await live.all_done()
    seen = await forecast(written(folder / "events.csv", script.on_the_way), until)

    await live.live_through(until, script.on_the_way)

    began_at, zone = datetime.fromisoformat(seen["began_at"]), world.settings.zone
    async with world.sessions() as session:
        real = await happenings.between(session, began_at, end_of(until, zone), zone)
        query = (
            select(CreditGrant.customer_id, CreditGrant.currency, func.sum(Account.balance_minor))
            .join(Account, Account.id == CreditGrant.account_id)
            .where((CreditGrant.expires_on >= until) | CreditGrant.expires_on.is_(None))
            .group_by(CreditGrant.customer_id, CreditGrant.currency)
        )
        left = [(who, currency, int(minor)) for who, currency, minor in await session.execute(query)]
    foreseen = [tuple(row[name] for name in LINE) for row in seen["happenings"]]
    foreseen += _left(
        (row["customer_id"], row["currency"], row["credits_left_minor"]) for row in seen["customers"]
    )
    return Agreement(seen, foreseen, [*map(_line, real), *_left(left)])


def written(path: Path, events: Sequence[Event]) -> Path:
    """The events as a file that the command takes."""
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        writer.writerows((one.on, one.subscription_id, one.what.value, one.value) for one in events)
    return path


def _line(one: Happening) -> Line:
    paid = (one.net_minor, one.tax_minor, one.credits_minor, one.card_minor, one.short_minor)
    dates = [str(day) if day else None for day in (one.promise_on, one.covered_to)]
    return (str(one.on), one.subscription_id, one.kind.value, one.currency, *paid, *dates, one.reason)


def _left(accounts: Iterable[tuple[str, str, int]]) -> list[Line]:
    return sorted((LEFT, *account) for account in accounts if account[-1])


def _said(line: Line) -> str:
    return " ".join(str(cell) for cell in line if cell not in (None, "", 0))
