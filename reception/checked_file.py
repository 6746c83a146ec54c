"""A file of licenses that somebody sent: checked whole, then its good rows read again (R26)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import BinaryIO

from domain import intake
from domain.catalogue import Catalogue
from domain.intake_problem import Problem
from domain.intake_row import Row

BLOCK = 1 << 16


@dataclass
class CheckedFile:
    """What one reading of the whole file has found; none of its rows is kept, for it may be large."""

    filename: str
    file: BinaryIO
    catalogue: Catalogue
    today: date
    notice_days: int
    good: int = 0
    flagged: int = 0
    """Good, but past their cancel-by date (R26)."""
    problems: list[Problem] = field(default_factory=list)
    digest: bytes = b""

    def read_through(self) -> None:
        """Check the whole file. Raises UnreadableFile. Blocks: not for an event loop."""
        digest = sha256()
        for block in self._blocks():
            digest.update(block)
        self.digest = digest.digest()
        for found in self._found():
            if isinstance(found, Problem):
                self.problems.append(found)
            else:
                self.good += 1
                self.flagged += int(found.window_closed)

    def rows(self) -> Iterator[Row]:
        """The good rows, read again."""
        return (found for found in self._found() if not isinstance(found, Problem))

    def _found(self) -> Iterator[Row | Problem]:
        check = {"csv": intake.check_csv, "jsonl": intake.check_json_lines}[intake.format_of(self.filename)]
        return check(self._blocks(), self.catalogue, self.today, self.notice_days)

    def _blocks(self) -> Iterator[bytes]:
        self.file.seek(0)
        while block := self.file.read(BLOCK):
            yield block
