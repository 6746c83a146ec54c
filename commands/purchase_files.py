"""A file of purchases: checked whole, recorded at once, started by a durable workflow (R19, R26)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import typer

from commands import running
from commands.checked import Checked, flag, refusal, show_flagged, show_problems
from commands.license_files import storing_of
from commands.progress import progressing
from commands.screen import console, document
from domain.intake import FileFormat
from domain.intake_problem import Problem
from domain.local_time import local_date
from domain.purchase import Purchase
from domain.purchase_check import check_file
from reception.purchases import Recording, SomeRefused, Told


def record(file: Path, check_only: bool, skip_bad: bool, by: str, as_json: bool) -> None:
    """Record the purchases of a file, all or (unless `skip_bad`) none.

    Exits with 2 when rows are bad, with 1 when what is known here speaks against good ones.
    """

    async def command() -> tuple[Checked[Purchase], list[Told], list[Problem]]:
        settings, at = running.settings(), datetime.now(UTC)
        catalogue, today = settings.price_list(), local_date(at, settings.zone)

        def check(written_as: FileFormat, blocks: Iterable[bytes]) -> Iterator[Purchase | Problem]:
            return check_file(written_as, blocks, catalogue, today, settings.notice_days)

        checked = Checked(file, check)
        checked.read_through(show=not as_json)
        if check_only or (checked.problems and not skip_bad):
            return checked, [], []
        client = await running.temporal()
        async with running.database(settings) as sessions:
            storing = storing_of(settings, file.name, checked.digest, by, at)
            try:
                with progressing() as progress:
                    recording = Recording(sessions, client, storing, progress)
                    told, refused = await recording.store(checked.rows(), skip_bad)
            except SomeRefused as some:
                return checked, [], some.problems
        return checked, told, refused

    checked, told, refused = running.run(command)
    _report(checked, told, refused, as_json)
    if not skip_bad and (checked.problems or refused):
        raise typer.Exit(2 if checked.problems else 1)


def _report(checked: Checked[Purchase], told: list[Told], refused: list[Problem], as_json: bool) -> None:
    recorded = sum(one.recorded.new for one in told)
    problems = sorted(checked.problems + refused, key=lambda problem: problem.line)
    if as_json:
        document(
            {
                "file": str(checked.file),
                "good": checked.good,
                "taken": recorded,
                "unchanged": len(told) - recorded,
                "new_licenses": sum(one.recorded.taken_new_key for one in told),
                "purchases": [{"line": one.recorded.line, **one.as_document()} for one in told],
                "flagged": [flag(row.line, row.license.expires_on) for row in checked.flagged if row.license],
                "refused": [refusal(problem) for problem in problems],
            }
        )
        return
    show_problems(checked.file, problems)
    show_flagged(len(checked.flagged))
    if not told:
        console.print(f"{checked.good} rows are good. Nothing was recorded.")
        return
    console.print(f"[bold]{recorded}[/] purchases recorded, {len(told) - recorded} were here already.")
    new = sum(one.recorded.taken_new_key for one in told)
    renewals = Counter(one.renewal for one in told)
    for count, sentence in (
        (new, "licenses were new here and have been added."),
        (renewals["collecting"], "were waiting for money; they are collected now, if there is enough."),
        (renewals["turned_on"], "had auto-renewal off; it is on again."),
        (renewals["asked"], "had auto-renewal off; no worker answered, the request is left with the server."),
        (renewals["off"], "were cancelled after their purchase, and stay so."),
        (
            renewals["expired"],
            "are for a license that has expired: the credit is kept, but it needs a request.",
        ),
    ):
        if count:
            console.print(f"{count} {sentence}")
