"""Why a subscription is as it is, what happens next, and a receipt that proves when a cancellation was received."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from papers.receipt import ReceiptKeys
from tests.commands import book
from tests.commands.tables import subscription_of


@pytest.fixture
def row():
    return book.row(
        expires_on=str(book.today() + timedelta(days=120)), opening_credit="500.00", card_token="pm_card_visa"
    )


async def taken(evergreen, folder, sessions, row):
    await evergreen("import", book.write(folder / f"{row['customer_name']}.csv", [row]))
    return await subscription_of(sessions, row)


async def test_each_line_of_a_subscription_s_timeline_has_its_rule_and_what_comes_is_the_workflow_s_plan(
    evergreen, folder, sessions, row
):
    subscription = await taken(evergreen, folder, sessions, row)

    told = (await evergreen("explain", subscription, "--json")).json

    assert told["future_from"] == "workflow"
    lines = told["past"] + told["future"]
    assert all(line["rule"].startswith("R") for line in lines)
    assert all(before["at"] <= after["at"] for before, after in pairwise(lines))
    assert [line["rule"] for line in told["future"]] == ["R6", "R6", "R6", "R2, R3", "R4, R21", "R1"]
    renewal = told["future"][4]
    assert "£216.00" in renewal["why"]
    assert "all from your credits" in renewal["why"]
    assert told["past"][0]["source"] == "intake"
    assert row["license_key"] not in json.dumps(told)


async def test_without_temporal_what_comes_is_told_from_the_rows_and_says_so(
    evergreen, folder, sessions, row, variables
):
    subscription = await taken(evergreen, folder, sessions, row)
    away = evergreen.told(**{**variables, "TEMPORAL_ADDRESS": "127.0.0.1:9"})

    told = (await away("explain", subscription, "--json")).json

    assert told["future_from"] == "rows"
    assert len(told["future"]) == 6


async def test_a_receipt_says_by_how_much_a_cancellation_was_in_time_and_a_changed_one_is_refused(
    evergreen, folder, sessions, row, tmp_path, variables
):
    """R2, R3: received at, cut-off, by how much."""
    subscription = await taken(evergreen, folder, sessions, row)
    await evergreen("cancel", subscription, "--reason", "moved", "--by", "support:jo")
    file = tmp_path / "receipt.json"

    told = (await evergreen("explain", subscription, "--receipt", file, "--json")).json
    genuine = await evergreen("verify-receipt", file, "--json")

    assert genuine.code == 0
    said = genuine.json["receipt"]
    received, cut_off = (datetime.fromisoformat(said[name]) for name in ("received_at", "cut_off_at"))
    assert said["in_time"]
    assert said["by_seconds"] == int((cut_off - received).total_seconds())
    assert told["receipts"][-1]["receipt"] == said
    cancelled = next(line for line in told["past"] if line["rule"] == "R7, R8")
    assert "reason given: moved" in cancelled["why"]
    assert cancelled["by"] == "support:jo"

    signed = json.loads(file.read_text())
    public = ReceiptKeys.parse(variables["EVERGREEN_RECEIPT_KEYS"]).public()
    ((key_id, encoded),) = public.items()
    elsewhere = await evergreen("verify-receipt", file, "--public-key", f"{key_id}:{encoded}", "--json")
    assert elsewhere.code == 0
    other = base64.b64encode(bytes(32)).decode()
    for changed in (
        signed | {"receipt": said | {"in_time": False}},
        signed | {"key_id": "another"},
        signed | {"signature": base64.b64encode(bytes(64)).decode()},
    ):
        file.write_text(json.dumps(changed))
        assert (await evergreen("verify-receipt", file)).code == 1
    file.write_text(json.dumps(signed, indent=8, sort_keys=True))
    assert (await evergreen("verify-receipt", file)).code == 0
    assert (await evergreen("verify-receipt", file, "--public-key", f"{key_id}:{other}")).code == 1


async def test_there_is_no_receipt_of_what_was_not_cancelled(evergreen, folder, sessions, row, tmp_path):
    subscription = await taken(evergreen, folder, sessions, row)

    answer = await evergreen("explain", subscription, "--receipt", tmp_path / "receipt.json")

    assert answer.code == 1
    assert "no receipt" in answer.said
