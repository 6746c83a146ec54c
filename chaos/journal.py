"""The traffic log: what was done to whom, and when by their own clock. Appended, so a run can go on from it."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any


class Journal:
    """One JSON document a line. A line that was cut short by a crash is the last, and is left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = list(_read(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{json.dumps(line)}\n" for line in self.lines)
        path.write_text(text, encoding="utf-8")
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._began: dict[tuple[str, int], str] = {}
        self._done: defaultdict[str, set[int]] = defaultdict(set)
        for line in self.lines:
            self._note(line)

    def write(self, what: str, **words: Any) -> None:
        """Add a line."""
        line = {"what": what, "wall": round(time.time(), 2), **words}
        self.lines.append(line)
        self._note(line)
        self._file.write(f"{json.dumps(line, default=str)}\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def find(self, what: str) -> dict[str, Any] | None:
        """The first line of this kind."""
        return next((line for line in self.lines if line["what"] == what), None)

    def began(self, key: str, act: int, at: datetime) -> datetime:
        """When the act was begun the first time, which is now if it never was."""
        if (key, act) not in self._began:
            self.write("begin", key=key, act=act, at=at.isoformat())
        return datetime.fromisoformat(self._began[key, act])

    def is_done(self, key: str, act: int) -> bool:
        """Whether the act was done, in this run or in one before it."""
        return act in self._done[key]

    def _note(self, line: dict[str, Any]) -> None:
        if line["what"] == "begin":
            self._began[line["key"], line["act"]] = line["at"]
        elif line["what"] == "done":
            self._done[line["key"]].add(line["act"])


def _read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                break
    return found
