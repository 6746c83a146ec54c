"""Ids are unique, sort by time and hold no letters to misread."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from db.identifiers import first_id, made_at, new_id


def test_an_id_is_its_prefix_and_26_characters_of_base_32() -> None:
    assert re.fullmatch(r"order_[0-9a-hjkmnp-tv-z]{26}", new_id("order"))


def test_a_later_id_sorts_after_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    milliseconds = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 2**48 - 1]
    ids = []
    for instant in milliseconds:
        monkeypatch.setattr(time, "time_ns", lambda instant=instant: instant * 1_000_000)
        ids.append(new_id("x"))
    assert ids == sorted(ids)


def test_ids_do_not_repeat() -> None:
    assert len({new_id("x") for _ in range(10_000)}) == 10_000


def test_an_id_tells_when_it_was_made_and_an_instant_where_its_ids_begin() -> None:
    before = datetime.now(UTC)
    made = new_id("x")
    after = datetime.now(UTC) + timedelta(milliseconds=1)

    assert before - timedelta(milliseconds=1) <= made_at(made) <= after
    assert first_id("x", before) <= made < first_id("x", after)
    assert made_at(first_id("x", datetime(2027, 8, 31, 12, tzinfo=UTC))) == datetime(
        2027, 8, 31, 12, tzinfo=UTC
    )
