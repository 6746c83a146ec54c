"""Importing licenses from a file: checked whole, stored at once, started by a durable workflow (R26)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from commands import rehearsal, running
from commands.checked import Checked, flag, refusal, show_flagged, show_problems
from commands.license_files import checked_file, storing_of
from commands.screen import AsJson, By, console, document, to_errors
from config import Settings
from db.intakes import Counts
from domain.intake_row import Row
from domain.local_time import local_date
from reception import licenses


def import_file(
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl file; see examples/licenses.csv.")],
    check: Annotated[bool, typer.Option("--check", help="Only check the file, take nothing.")] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good rows although others are bad.")
    ] = False,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Take nothing: forecast the file by itself, to --until.")
    ] = False,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The last day of the rehearsal."),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            "--compare", help="A CSV of what the old system would charge: license_key,on,amount,currency."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the rehearsal's JSON, CSV and page into this folder.")
    ] = None,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Import licenses: the whole file is checked first, and nothing is taken while a row is bad.

    Importing again changes nothing: a license key that is here already is left as it is.

    Example: evergreen import examples/licenses.csv --check
    """
    console.quiet = as_json
    if rehearse:
        rehearsal.rehearse(file, until, compare, out, skip_bad, as_json)
        return
    if until or compare or out:
        raise typer.BadParameter("--until, --compare and --out are for --rehearse")

    async def command() -> tuple[Checked[Row], Counts | None]:
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


async def take(
    checked: Checked[Row],
    settings: Settings,
    sessions: async_sessionmaker[AsyncSession],
    client: Client,
    by: str,
    at: datetime,
) -> Counts:
    """Store the good rows and see their workflows started; both go on or leave no trace if this command dies."""
    storing = storing_of(settings, checked.file.name, checked.digest, by, at)
    with Progress(console=to_errors, transient=True, disable=console.quiet) as progress:
        task = progress.add_task("storing", total=None)
        counts = await licenses.take(sessions, client, storing, checked.rows())
        await see_started(sessions, storing.intake_id, counts.taken, progress, task)
    return counts


async def see_started(
    sessions: async_sessionmaker[AsyncSession], intake_id: str, total: int, progress: Progress, task: TaskID
) -> None:
    """Wait until all workflows of an intake run; it goes on without us."""
    progress.update(task, description="starting workflows", total=total)
    await licenses.see_started(
        sessions, intake_id, total, lambda started, _total: progress.update(task, completed=started)
    )


def _report(file: Path, checked: Checked[Row], counts: Counts | None, as_json: bool) -> None:
    if as_json:
        document(
            {
                "file": str(file),
                "good": checked.good,
                "taken": counts.taken if counts else 0,
                "unchanged": counts.unchanged if counts else 0,
                "flagged": [flag(row.line, row.expires_on) for row in checked.flagged],
                "refused": [refusal(problem) for problem in checked.problems],
            }
        )
        return
    show_problems(file, checked.problems)
    show_flagged(len(checked.flagged))
    if counts is None:
        console.print(f"{checked.good} rows are good. Nothing was taken.")
    else:
        console.print(f"[bold]{counts.taken}[/] licenses taken, {counts.unchanged} were here already.")
