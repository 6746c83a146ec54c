"""What describes a license on a command line: options named like an import's columns, and the key read unseen (R28)."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import typer

from domain.intake_problem import Problem

FROM_STANDARD_INPUT = "-"

KEY_HELP = (
    "The key, or - to read it from standard input: on a command line others can see it in the "
    "list of processes, and the shell's history keeps it."
)

_OPTIONS = {"customer_email": "--email", "customer_name": "--name"}
"""Of those columns whose option has another name."""


def key_of(option: str) -> str:
    """The license key that the option gives or stands for: from a terminal without echo, else the first line."""
    if option != FROM_STANDARD_INPUT:
        return option
    if sys.stdin.isatty():
        return str(typer.prompt("License key", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def worded(problems: Iterable[Problem]) -> str:
    """Problems of columns, told by their options."""
    return "\n".join(f"{_option(problem)}: {problem.reason}. {problem.mend}" for problem in problems)


def _option(problem: Problem) -> str:
    column = problem.column or ""
    return _OPTIONS.get(column, f"--{column.replace('_', '-')}")
