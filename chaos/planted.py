"""Plants mistakes on purpose, each in a scratch copy of the tree, and shows which check finds it.

    python -m chaos.planted             # all of them, some minutes
    python -m chaos.planted --only lock

A mistake is an exact edit: where its text is not found any more the edit is out of date, and that is an error.
Exit codes: 0 every mistake was found; 1 one was not.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
PATIENCE_SECONDS = 500


class EditOutOfDate(Exception):
    """The text that a mistake replaces is not there exactly once."""


@dataclass(frozen=True)
class Mistake:
    """One mistake, and what is to find it: a command that fails and says `finding`."""

    name: str
    what: str
    file: str
    right: str
    wrong: str
    check: tuple[str, ...]
    finding: str

    def plant(self, root: Path) -> None:
        """Make it in this copy of the tree. Raises EditOutOfDate."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.right) != 1:
            raise EditOutOfDate(
                f"{self.name}: in {self.file} there is {text.count(self.right)} times: {self.right!r}"
            )
        path.write_text(text.replace(self.right, self.wrong), encoding="utf-8")


MISTAKES = (
    Mistake(
        "key",
        "a charge key that changes on retry",
        "activities/collecting.py",
        "            key=payment.key,\n            amount_minor",
        '            key=f"{payment.key}/{activity.info().attempt}",\n            amount_minor',
        ("-m", "chaos", "--seed", "4", "--subscriptions", "20", "--faults", "21"),
        "charge: ",
    ),
    Mistake(
        "lock",
        "a missing lock on the grant",
        "db/ledger.py",
        "    ORDER BY id FOR NO KEY UPDATE\n",
        "    ORDER BY id\n",
        ("-m", "pytest", "-q", "tests/db/test_ledger_races.py"),
        "FAILED tests/db/test_ledger_races.py",
    ),
    Mistake(
        "summer",
        "a cut-off an hour wrong in summer",
        "domain/cancellation.py",
        "    return end_of(cancel_by(expires_on, notice_days), zone)\n",
        '    return end_of(cancel_by(expires_on, notice_days), "UTC")\n',
        ("-m", "tests.chaos.model", "--seed", "1", "--cases", "120"),
        ", workflow None",  # by the rules it came too late and was paid for; the workflow let it be cancelled
    ),
    Mistake(
        "signal",
        "a signal dropped at continue-as-new",
        "workflows/subscription.py",
        "        await workflow.wait_condition(workflow.all_handlers_finished)\n        ending = living.result()\n",
        "        ending = living.result()\n",
        ("-m", "pytest", "-q", "tests/end_to_end/test_handover.py"),
        "FAILED tests/end_to_end/test_handover.py",
    ),
)


@dataclass(frozen=True)
class Found:
    """What the check said of a mistake."""

    mistake: Mistake
    found: bool
    seconds: float
    said: str
    """The line that gives it away, or the end of what the check said."""


def try_out(mistake: Mistake) -> Found:
    """Plant it in a scratch copy, run its check there. Raises EditOutOfDate."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        copy = Path(name) / "tree"
        shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
        mistake.plant(copy)
        began = time.monotonic()
        checked = subprocess.run(
            [sys.executable, *mistake.check],
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        output = checked.stdout + checked.stderr
        lines = [line for line in output.splitlines() if mistake.finding in line]
        found = checked.returncode != 0 and bool(lines)
        said = lines[0].strip() if lines else output[-500:]
        return Found(mistake, found, time.monotonic() - began, said)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try out all mistakes, or one; print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m chaos.planted", description=__doc__)
    parser.add_argument("--only", choices=[mistake.name for mistake in MISTAKES])
    only = parser.parse_args(arguments).only
    results = []
    print("| planted | found by | seconds | what it said |\n| --- | --- | --: | --- |", flush=True)
    for mistake in MISTAKES:
        if only in (None, mistake.name):
            result = try_out(mistake)
            results.append(result)
            check = " ".join(mistake.check).removeprefix("-m ")
            by = f"`{check}`" if result.found else "**nobody**"
            print(f"| {mistake.what} | {by} | {result.seconds:.0f} | `{result.said[:160]}` |", flush=True)
    return 0 if all(result.found for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
