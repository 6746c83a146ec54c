"""A file of licenses to be imported or rehearsed: checked whole (R26), and how its rows are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

from commands.checked import Checked
from config import Settings
from db.arrivals import Storing
from domain import intake
from domain.intake import FileFormat
from domain.intake_problem import Problem
from domain.intake_row import Row
from reception import licenses


def checked_file(file: Path, settings: Settings, today: date, show: bool = True) -> Checked[Row]:
    """Check a whole file of licenses (R26), with a progress bar when `show`. Raises BadInput when it is unreadable."""
    catalogue = settings.price_list()

    def check(written_as: FileFormat, blocks: Iterable[bytes]) -> Iterator[Row | Problem]:
        check_file = {"csv": intake.check_csv, "jsonl": intake.check_json_lines}[written_as]
        return check_file(blocks, catalogue, today, settings.notice_days)

    checked = Checked(file, check)
    checked.read_through(show)
    return checked


def storing_of(settings: Settings, filename: str, digest: bytes, by: str, at: datetime) -> Storing:
    """A new intake; `digest` is the SHA-256 of what was given."""
    return licenses.storing(filename, digest, by, at, settings.key_ring(), settings.policy())
