"""Records the histories of the main stories, to be committed and replayed by test_replay.py for ever.

    python -m tests.histories.record [FOLDER]

Run by hand, on real servers of its own: when a story is new, or when the workflow is changed before its first release.
Once a version is at work its folder stays as it is, and the next one is recorded beside it (`v2`): a workflow that
sleeps for a year wakes up in the code of then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from sealing.payloads import SealedPayloads
from tests.end_to_end.book import Book
from tests.end_to_end.world import OwnWorker, world
from tests.histories import payloads
from tests.histories.stories import STORIES, Story

HERE = Path(__file__).parent
NOT_KEPT = "stackTrace"
"""Stack traces name paths of the machine that recorded them; replay does not read them."""


async def record(folder: Path) -> None:
    """Tell each story and write one file for each of its runs."""
    logging.getLogger("temporalio").setLevel(logging.ERROR)  # activities that fail belong to the stories
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    async with world(identity="recorder") as made:
        worker = OwnWorker(made)
        await worker.start()
        for story in STORIES:
            book = Book(made)
            await _record(story, book, folder, SealedPayloads(made.settings.payload_keys()))
            await book.close()
        await worker.stop()


async def _record(story: Story, book: Book, folder: Path, codec: SealedPayloads) -> None:
    subscription = await story(book)
    for number, events in enumerate(await subscription.runs(), start=1):
        history = json.loads(WorkflowHistory(subscription.workflow_id, events).to_json())
        opened = payloads.opened(history["events"], codec)
        lines = [json.dumps(_kept(event), separators=(",", ":")) for event in opened]
        path = folder / f"{story.__name__}-{number}.json"
        path.write_text('{"events":[\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
        sys.stderr.write(f"{path.name}: {len(events)} events\n")


def _kept(part: Any) -> Any:
    match part:
        case dict():
            return {name: _kept(value) for name, value in part.items() if name != NOT_KEPT}
        case list():
            return [_kept(value) for value in part]
        case _:
            return part


if __name__ == "__main__":
    asyncio.run(record(HERE / (sys.argv[1] if len(sys.argv) > 1 else "v1")))
