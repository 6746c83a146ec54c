"""Whatever the workflows have lived through once, today's code must still be able to live through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

import connection
from tests.histories import payloads
from tests.histories.stories import STORIES
from worker import sandboxed
from workflows.subscription import Subscription

RECORDED = sorted(Path(__file__).parent.glob("v*/*.json"))


AS_THE_SERVER_KEEPS_IT = {"sealed": payloads.sealed, "never sealed": lambda history: history}


@pytest.mark.parametrize("kept", AS_THE_SERVER_KEEPS_IT.values(), ids=AS_THE_SERVER_KEEPS_IT)
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_recorded_history_replays(path: Path, kept: Callable[[Any], Any]):
    """A change of the workflow that a sleeping one would stumble over fails here, not in a year."""
    replayer = Replayer(
        workflows=[Subscription],
        workflow_runner=sandboxed(),
        data_converter=connection.converter(payloads.CODEC.keys),
    )
    history = kept(json.loads(path.read_text(encoding="utf-8")))
    await replayer.replay_workflow(WorkflowHistory.from_json("subscription/recorded", history))


def test_every_story_is_recorded():
    """A new story is recorded with `python -m tests.histories.record`."""
    assert {path.stem.rpartition("-")[0] for path in RECORDED} == {story.__name__ for story in STORIES}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_history_holds_no_secret(path: Path):
    """R28: whoever may look at workflows sees no license key and no e-mail address; nor a path of some machine."""
    for text in _texts(json.loads(path.read_text())):
        assert "SM-SECRET" not in text
        assert "@example.com" not in text
        assert ".py" not in text


def _texts(part: Any) -> Iterator[str]:
    """Every text in the history, payloads decoded."""
    match part:
        case dict() if payloads.is_payload(part):
            yield payloads.text(part)
        case dict():
            for value in part.values():
                yield from _texts(value)
        case list():
            for value in part:
                yield from _texts(value)
        case str():
            yield part
