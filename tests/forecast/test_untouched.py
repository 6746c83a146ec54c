"""A forecast touches nothing that is real, although it is told of all of it; and its page is what is in its tables."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

from config import Settings
from forecast import shelf, surroundings
from sandbox.holder import Addresses
from tests.commands.book import example
from tests.commands.program import CommandLine
from tests.forecast.book import only


async def test_live_tables_vendor_payments_mail_and_histories_are_byte_for_byte_as_they_were(
    live, world, tmp_path
):
    """The command has every live address in its environment, and a mail server that would take letters."""
    await live.take(only(example("licenses.csv"), 8), tmp_path)
    assert world.variables["EVERGREEN_SMTP_HOST"]
    before = await live.digests(), await live.histories()
    out, kept = tmp_path / "out", tmp_path / "shelf"
    evergreen = CommandLine(tmp_path, {**world.variables, "EVERGREEN_FORECAST_FOLDER": str(kept)})

    answer = await evergreen(
        "forecast", "--until", str(live.today + timedelta(days=370)), "--out", str(out), "--json"
    )

    assert answer.code == 0, answer.said
    assert (await live.digests(), await live.histories()) == before
    seen = answer.json["plain"]
    assert sum(month["renewals"] for month in seen["months"]) >= 5
    assert not seen["problems"]
    latest = shelf.latest(kept)
    assert latest is not None
    assert str(latest.until) == seen["until"]
    _check_files(out, seen)


def _check_files(out: Path, seen: dict) -> None:
    assert json.loads((out / "forecast.json").read_text())["plain"]["happenings"] == seen["happenings"]
    with (out / "plain-happenings.csv").open(newline="") as opened:
        assert len(list(csv.DictReader(opened))) == len(seen["happenings"])
    page = (out / "forecast.html").read_text()
    assert page.count("<svg") >= 3
    assert "<script" not in page
    assert "src=" not in page
    assert "href=" not in page


def test_every_setting_is_either_a_rule_that_is_carried_over_or_not_the_live_one(tmp_path, monkeypatch):
    """A setting that is added later is not carried over unless somebody says that it is a rule."""
    live = Settings(
        _env_file=None,
        database_url="postgresql://live",
        secret_keys="live:" + "A" * 43 + "=",
        fingerprint_pepper="live pepper, long enough",
        vendor_url="http://live.example",
        vendor_token="live",
        stripe_api_key="sk_live",
        stripe_api_base="http://live.example",
        stripe_webhook_secret="whsec_live",
        smtp_host="live.example",
        smtp_user="live",
        smtp_password="live",
        notice_days=21,
        extra_holidays="2027-06-07",
        day_ends="16:00",
        reminder_days="40,20",
    )
    monkeypatch.setenv("EVERGREEN_SMTP_HOST", "live.example")
    monkeypatch.setenv("TEMPORAL_PROFILE", "live")
    monkeypatch.setenv("https_proxy", "http://live.example")
    addresses = Addresses(
        database_url="postgresql://scratch",
        temporal_address="127.0.0.1:1",
        temporal_namespace="default",
        temporal_ui_url="http://127.0.0.1:2",
        token="scratch",
        urls={"vendor": "http://127.0.0.1:3", "payments": "http://127.0.0.1:4"},
    )

    told = surroundings.variables(tmp_path, addresses, live)

    assert {f"EVERGREEN_{name.upper()}" for name in Settings.model_fields} <= told.keys()
    assert not [name for name, value in told.items() if value and "live" in value.lower()]
    assert told["TEMPORAL_PROFILE"] is told["https_proxy"] is None
    read = surroundings.settings(told)
    assert [getattr(read, name) for name in surroundings.RULES] == [
        getattr(live, name) for name in surroundings.RULES
    ]
