"""A file of rows, read through twice: once to check it whole (R26), once more to store its good rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

from rich.progress import Progress

from commands.running import BadInput
from commands.screen import console, table, to_errors
from domain.intake import FileFormat, format_of
from domain.intake_problem import Problem, UnreadableFile

BLOCK = 1 << 16
SHOWN = 50
"""So many problems are shown to a person; --json gives all."""


class Flaggable(Protocol):
    """A good row that may have to be reported all the same."""

    @property
    def window_closed(self) -> bool:
        """Whether its cancel-by date has passed (R26)."""


Good = TypeVar("Good", bound=Flaggable)

Check = Callable[[FileFormat, Iterable[bytes]], Iterator[Good | Problem]]


@dataclass
class Checked(Generic[Good]):
    """A file that was read to its end once. Its good rows are read again when they are stored: it may be large."""

    file: Path
    check: Check[Good]
    good: int = 0
    flagged: list[Good] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    digest: bytes = b""

    def rows(self) -> Iterator[Good]:
        """The good rows. Raises BadInput when the file is not the one that was checked any more."""
        digest = sha256()
        for found in self._found(digest, lambda _bytes: None):
            if not isinstance(found, Problem):
                yield found
        if digest.digest() != self.digest:
            raise BadInput(
                f"{self.file} was changed while it was imported. Nothing was taken; import it again."
            )

    def read_through(self, show: bool) -> None:
        """Check the whole file, with a progress bar when `show`. Raises BadInput when it cannot be read at all."""
        digest = sha256()
        try:
            with Progress(console=to_errors, transient=True, disable=not show) as progress:
                task = progress.add_task("checking", total=self.file.stat().st_size)
                for found in self._found(digest, lambda read: progress.advance(task, read)):
                    if isinstance(found, Problem):
                        self.problems.append(found)
                        continue
                    self.good += 1
                    if found.window_closed:
                        self.flagged.append(found)
        except UnreadableFile as wrong:
            raise BadInput(f"{self.file}: {wrong}\nNothing was taken.") from wrong
        except OSError as failed:
            raise BadInput(f"{self.file}: {failed.strerror}") from failed
        self.digest = digest.digest()

    def _found(self, digest: Any, on_bytes: Callable[[int], None]) -> Iterator[Good | Problem]:
        def blocks(opened: BinaryIO) -> Iterator[bytes]:
            while block := opened.read(BLOCK):
                digest.update(block)
                on_bytes(len(block))
                yield block

        written_as = format_of(self.file.name)
        with self.file.open("rb") as opened:
            yield from self.check(written_as, blocks(opened))


def show_problems(file: Path, problems: list[Problem]) -> None:
    """Print what is wrong with a file's rows, to be mended."""
    if not problems:
        return
    table(
        f"{len(problems)} problems in {file}",
        ["line", "column", "what", "how to mend"],
        [(problem.line, problem.column, problem.reason, problem.mend) for problem in problems[:SHOWN]],
        ["line"],
    )
    if len(problems) > SHOWN:
        console.print(f"… and {len(problems) - SHOWN} more; --json lists all.")


def flag(line: int, expires_on: date) -> dict[str, Any]:
    """A row that is past its cancel-by date, as JSON."""
    return {"line": line, "expires_on": expires_on, "reason": "the cancel-by date has passed"}


def show_flagged(count: int) -> None:
    """Print how many rows are past their cancel-by date (R26)."""
    if count:
        console.print(
            f"{count} rows are past their cancel-by date: the coming renewal cannot be stopped any more."
        )


def refusal(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    return {"line": problem.line, "column": problem.column, "reason": problem.reason, "mend": problem.mend}
