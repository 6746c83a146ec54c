"""Importing licenses from a file: checked whole, stored at once, started by a durable workflow (R26)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from commands import running
from commands.running import BadInput
from commands.screen import AsJson, By, console, document, table, to_errors
from config import Settings
from db import intakes
from db.identifiers import new_id
from db.intakes import Counts, Storing
from domain import intake
from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import Row
from domain.local_time import local_date

BLOCK = 1 << 16
SHOWN = 50
"""So many problems are shown to a person; --json gives all."""


def import_file(
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file; see examples/licenses.csv.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the file, take nothing.")] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good rows although others are bad.")
    ] = False,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Import licenses: the whole file is checked first, and nothing is taken while a row is bad.

    Importing again changes nothing: a license key that is here already is left as it is.

    Example: evergreen import examples/licenses.csv --check
    """
    console.quiet = as_json

    async def command() -> tuple[Checked, Counts | None]:
        settings = running.settings()
        today = local_date(datetime.now(UTC), settings.zone)
        checked = checked_file(file, settings, today, show=not as_json)
        if check or (checked.problems and not skip_bad):
            return checked, None
        async with running.database(settings) as sessions:
            client = await running.temporal()
            return checked, await take(checked, settings, sessions, client, by, datetime.now(UTC))

    checked, counts = running.run(command)
    _report(file, checked, counts, as_json)
    if checked.problems and not skip_bad:
        raise typer.Exit(2)


@dataclass
class Checked:
    """A file that was read to its end once. Its good rows are read again when they are stored: it may be large."""

    file: Path
    settings: Settings
    today: date
    good: int = 0
    flagged: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    digest: bytes = b""

    def rows(self) -> Iterator[Row]:
        """The good rows. Raises BadInput when the file is not the one that was checked any more."""
        digest = sha256()
        for found in _found(self, digest, lambda _bytes: None):
            if isinstance(found, Row):
                yield found
        if digest.digest() != self.digest:
            raise BadInput(
                f"{self.file} was changed while it was imported. Nothing was taken; import it again."
            )


def checked_file(file: Path, settings: Settings, today: date, show: bool = True) -> Checked:
    """Check a whole file (R26), with a progress bar when `show`. Raises BadInput when it cannot be read at all."""
    checked, digest = Checked(file, settings, today), sha256()
    try:
        with Progress(console=to_errors, transient=True, disable=not show) as progress:
            task = progress.add_task("checking", total=file.stat().st_size)
            for found in _found(checked, digest, lambda read: progress.advance(task, read)):
                if isinstance(found, Problem):
                    checked.problems.append(found)
                    continue
                checked.good += 1
                if found.window_closed:
                    checked.flagged.append(found)
    except UnreadableFile as wrong:
        raise BadInput(f"{file}: {wrong}\nNothing was taken.") from wrong
    except OSError as failed:
        raise BadInput(f"{file}: {failed.strerror}") from failed
    checked.digest = digest.digest()
    return checked


def _found(checked: Checked, digest: Any, on_bytes: Callable[[int], None]) -> Iterator[Row | Problem]:
    check = {"csv": intake.check_csv, "jsonl": intake.check_json_lines}[intake.format_of(checked.file.name)]

    def blocks(opened: BinaryIO) -> Iterator[bytes]:
        while block := opened.read(BLOCK):
            digest.update(block)
            on_bytes(len(block))
            yield block

    with checked.file.open("rb") as opened:
        settings = checked.settings
        yield from check(blocks(opened), settings.price_list(), checked.today, settings.notice_days)


async def take(
    checked: Checked,
    settings: Settings,
    sessions: async_sessionmaker[AsyncSession],
    client: Client,
    by: str,
    at: datetime,
) -> Counts:
    """Store the good rows and see their workflows started; both go on or leave no trace if this command dies."""
    storing = Storing(
        intake_id=new_id("imp"),
        filename=checked.file.name,
        digest=checked.digest,
        requested_by=by,
        at=at,
        key_ring=settings.key_ring(),
        policy=settings.policy(),
    )
    await starter.start_intake(client, storing.intake_id)
    with Progress(console=to_errors, transient=True, disable=console.quiet) as progress:
        task = progress.add_task("storing", total=None)
        async with sessions.begin() as session:
            counts = await intakes.store(session, storing, checked.rows())
        progress.update(task, description="starting workflows", total=counts.taken)
        started = 0
        while started < counts.taken:
            async with sessions() as session:
                started, _total = await intakes.progress(session, storing.intake_id)
            progress.update(task, completed=started)
            await asyncio.sleep(0.1)
    return counts


def _report(file: Path, checked: Checked, counts: Counts | None, as_json: bool) -> None:
    flagged = checked.flagged
    if as_json:
        document(
            {
                "file": str(file),
                "good": checked.good,
                "taken": counts.taken if counts else 0,
                "unchanged": counts.unchanged if counts else 0,
                "flagged": [_flag(row) for row in flagged],
                "refused": [_refusal(problem) for problem in checked.problems],
            }
        )
        return
    if checked.problems:
        shown = [(p.line, p.column, p.reason, p.mend) for p in checked.problems[:SHOWN]]
        table(
            f"{len(checked.problems)} problems in {file}",
            ["line", "column", "what", "how to mend"],
            shown,
            ["line"],
        )
        if len(checked.problems) > SHOWN:
            console.print(f"… and {len(checked.problems) - SHOWN} more; --json lists all.")
    if flagged:
        console.print(
            f"{len(flagged)} rows are past their cancel-by date: the coming renewal cannot be stopped any more."
        )
    if counts is None:
        console.print(f"{checked.good} rows are good. Nothing was taken.")
    else:
        console.print(f"[bold]{counts.taken}[/] licenses taken, {counts.unchanged} were here already.")


def _flag(row: Row) -> dict[str, Any]:
    return {"line": row.line, "expires_on": row.expires_on, "reason": "the cancel-by date has passed"}


def _refusal(problem: Problem) -> dict[str, Any]:
    return {"line": problem.line, "column": problem.column, "reason": problem.reason, "mend": problem.mend}
