"""A bar that moves while something is received."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress

from commands.screen import console, to_errors
from reception.purchases import Progressing


@contextmanager
def progressing() -> Iterator[Progressing]:
    """What is to be told how far it is; shown unless one JSON document is asked for."""
    with Progress(console=to_errors, transient=True, disable=console.quiet) as bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield show
