"""What was foreseen is what happens, and foreseeing it touched nothing.

A year of customers of every kind is forecast by the command, then really lived through, and compared line by line. The
whole example book is compared by hand, as it takes minutes: `python -m tests.forecast.whole_book`.
"""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.happening import Kind
from forecast import shelf
from tests.commands.book import example, row
from tests.commands.program import CommandLine
from tests.forecast.agreement import LINE, Agreement, agreement
from tests.forecast.book import LiveBook
from tests.forecast.sample import sample
from tests.forecast.script import Script

PATIENCE_SECONDS = 240.0


def soon(days, **cells):
    return row(expires_on=str(datetime.now(UTC).date() + timedelta(days=days)), **cells)


async def test_a_forecast_touches_nothing_and_the_year_as_it_really_goes_agrees_with_it_line_by_line(
    live, world, tmp_path
):
    """Before it and on the way people cancel, resume, buy add-ons, bring cards, and are given credit."""
    waits_for_money = soon(11, country="FR")
    declined = soon(10, card_token="pm_card_chargeCustomerFail")
    book = await live.take([*sample(example("licenses.csv")), waits_for_money, declined], tmp_path)
    await live.all_are("collecting", [waits_for_money, declined])

    async def forecast(events: Path, until: date) -> dict[str, Any]:
        return await _forecast_without_a_trace(live, tmp_path, events, until)

    script = Script.of(book, world.settings.price_list(), live.today, each=1)
    found = await agreement(live, script, tmp_path, forecast)

    assert not found.seen["problems"]
    assert found.differences() == []
    nothing_goes_wrong = {Kind.GIVEN_BACK, Kind.PROMISE_BROKEN, Kind.UPGRADE}
    assert found.kinds().keys() == {kind.value for kind in set(Kind) - nothing_goes_wrong}


@pytest.mark.parametrize("column", [name for name in LINE if name != "subscription"])
def test_a_line_that_differs_in_one_thing_is_told_on_both_sides(column):
    """R11: a penny is enough."""
    line = tuple(f"some {name}" for name in LINE)
    same = Agreement({}, [line], [line])
    other = tuple(
        f"another {name}" if name == column else cell for name, cell in zip(LINE, line, strict=True)
    )

    assert same.differences() == []
    assert len(replace(same, happened=[other]).differences()) == 2
    assert len(replace(same, happened=[]).differences()) == 1
    assert len(replace(same, happened=[line, line]).differences()) == 1


async def _forecast_without_a_trace(
    live: LiveBook, folder: Path, events: Path, until: date
) -> dict[str, Any]:
    """The forecast as the command gives it out. Tables, vendor, payments, mail and histories stay as they are."""
    assert live.world.variables["EVERGREEN_SMTP_HOST"], "there is a mail server that would take letters"
    out, kept = folder / "out", folder / "shelf"
    told = {**live.world.variables, "EVERGREEN_FORECAST_FOLDER": str(kept)}
    evergreen = CommandLine(folder, told, patience_seconds=PATIENCE_SECONDS)
    before = await live.digests(), await live.histories()

    given = ("--until", str(until), "--events", str(events))
    answer = await evergreen("forecast", *given, "--out", str(out), "--json")

    assert answer.code == 0, answer.said
    assert (await live.digests(), await live.histories()) == before
    seen: dict[str, Any] = answer.json["plain"]
    latest = shelf.latest(kept)
    assert latest is not None
    assert latest.until == until
    _check_files(out, seen)
    return seen


def _check_files(out: Path, seen: dict[str, Any]) -> None:
    assert json.loads((out / "forecast.json").read_text())["plain"]["happenings"] == seen["happenings"]
    with (out / "plain-happenings.csv").open(newline="") as opened:
        assert len(list(csv.DictReader(opened))) == len(seen["happenings"])
    page = (out / "forecast.html").read_text()
    assert page.count("<svg") >= 3
    assert not [word for word in ("<script", "src=", "href=") if word in page]
