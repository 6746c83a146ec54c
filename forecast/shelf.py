"""Where forecasts are kept, and the latest of them, for a page of staff to show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

PAGE: Final = "forecast.html"
DOCUMENT: Final = "forecast.json"


@dataclass(frozen=True)
class Kept:
    """A forecast on the shelf. Its page is one self-contained file of HTML without scripts."""

    folder: Path
    began_at: datetime
    until: date

    @property
    def page(self) -> Path:
        """The page's file."""
        return self.folder / PAGE


def place(shelf: Path, began_at: datetime, until: date) -> Path:
    """The folder of a forecast that is made now."""
    return shelf / f"{began_at:%Y%m%dT%H%M%S}-until-{until}"


def latest(shelf: Path | None) -> Kept | None:
    """The forecast that was made last; None when there is none, or no shelf. Blocks for a moment."""
    if shelf is None or not shelf.is_dir():
        return None
    made = [
        folder for folder in shelf.iterdir() if not folder.name.startswith(".") and (folder / PAGE).is_file()
    ]
    found = [kept for kept in map(_read, made) if kept is not None]
    return max(found, key=lambda kept: kept.began_at, default=None)


def _read(folder: Path) -> Kept | None:
    try:
        facts = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))["plain"]
        return Kept(folder, datetime.fromisoformat(facts["began_at"]), date.fromisoformat(facts["until"]))
    except (FileNotFoundError, KeyError, ValueError):  # somebody put something else there
        return None
