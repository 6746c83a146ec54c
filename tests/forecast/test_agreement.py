"""What was foreseen is what happens, and foreseeing it touched nothing.

The year is forecast by the command, then really lived through, and compared line by line.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import starter
from db import happenings
from domain.happening import Happening, Kind
from domain.local_time import end_of
from domain.messages import Cancel
from forecast import shelf
from tests.commands.book import example, row
from tests.commands.program import CommandLine
from tests.forecast.book import LiveBook, only


def soon(days, **cells):
    return row(expires_on=str(datetime.now(UTC).date() + timedelta(days=days)), **cells)


async def test_a_forecast_touches_nothing_and_the_year_as_it_really_goes_agrees_with_it_line_by_line(
    live, world, tmp_path
):
    """Waiting, cancelled, collecting with and without a card, sharing credits; the command knows every live address."""
    waits_for_money = soon(11, country="FR")
    declined = soon(10, card_token="pm_card_chargeCustomerFail")
    book = await live.take([*only(example("licenses.csv"), 26), waits_for_money, declined], tmp_path)
    await live.all_are("collecting", [waits_for_money, declined])
    cancelled = next(held for held in reversed(book) if held.subscription.state == "active")
    await starter.cancel(world.client, cancelled.subscription.id, Cancel(by="customer"))
    until = live.today + timedelta(days=365)

    seen = await _forecast_without_a_trace(live, tmp_path, str(until))
    await live.live_through(until)

    async with world.sessions() as session:
        began_at = datetime.fromisoformat(seen["began_at"])
        horizon = end_of(until, world.settings.zone)
        happened = await happenings.between(session, began_at, horizon, world.settings.zone)
    assert not seen["problems"]
    assert {one.kind for one in happened} >= {Kind.RENEWAL, Kind.LAPSE, Kind.END, Kind.PAYMENT_FAILED}
    foreseen, real = [_line(row) for row in seen["happenings"]], [_real(one) for one in happened]
    only_foreseen = [line for line in foreseen if line not in real]
    only_happened = [line for line in real if line not in foreseen]
    assert (only_foreseen, only_happened) == ([], [])
    assert foreseen == real


async def _forecast_without_a_trace(live: LiveBook, folder: Path, until: str) -> dict[str, Any]:
    """The forecast as the command gives it out. Tables, vendor, payments, mail and histories stay as they are."""
    assert live.world.variables["EVERGREEN_SMTP_HOST"], "there is a mail server that would take letters"
    out, kept = folder / "out", folder / "shelf"
    evergreen = CommandLine(folder, {**live.world.variables, "EVERGREEN_FORECAST_FOLDER": str(kept)})
    before = await live.digests(), await live.histories()

    answer = await evergreen("forecast", "--until", until, "--out", str(out), "--json")

    assert answer.code == 0, answer.said
    assert (await live.digests(), await live.histories()) == before
    seen: dict[str, Any] = answer.json["plain"]
    latest = shelf.latest(kept)
    assert latest is not None
    assert str(latest.until) == until
    _check_files(out, seen)
    return seen


def _check_files(out: Path, seen: dict[str, Any]) -> None:
    assert json.loads((out / "forecast.json").read_text())["plain"]["happenings"] == seen["happenings"]
    with (out / "plain-happenings.csv").open(newline="") as opened:
        assert len(list(csv.DictReader(opened))) == len(seen["happenings"])
    page = (out / "forecast.html").read_text()
    assert page.count("<svg") >= 3
    assert not [word for word in ("<script", "src=", "href=") if word in page]


def _line(row: dict[str, Any]) -> tuple[object, ...]:
    names = (
        "on",
        "kind",
        "subscription",
        "currency",
        "net_minor",
        "tax_minor",
        "credits_minor",
        "cash_minor",
    )
    return tuple(row[name] for name in (*names, "short_minor", "promise_on", "covered_to", "reason"))


def _real(one: Happening) -> tuple[object, ...]:
    paid = (one.net_minor, one.tax_minor, one.credits_minor, one.card_minor, one.short_minor)
    dates = [str(day) if day else None for day in (one.promise_on, one.covered_to)]
    return (str(one.on), one.kind.value, one.subscription_id, one.currency, *paid, *dates, one.reason)
