"""What a command prints: tables for people, or one JSON document for machines and nothing else on standard output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

LONGEST = 500
"""Characters of what is said in one's own words, as in the messages to a workflow."""


def short(text: str) -> str:
    """The text of an option, unless it is too long. Raises BadParameter."""
    if len(text) > LONGEST:
        raise typer.BadParameter(f"it has {len(text)} characters: shorten it to {LONGEST}")
    return text


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
By = Annotated[str, typer.Option("--by", callback=short, help="Who asks, for the audit, like support:jo.")]

console = Console()
to_errors = Console(stderr=True)


def document(value: Any) -> None:
    """Print the one JSON document of a command; dates and instants are written as ISO 8601."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> None:
    """Print a table; `right` names the columns of numbers. Cells are shown as they are: a name may have brackets."""
    shown = Table(title=escape(title), title_justify="left", header_style="bold", pad_edge=False)
    for column in columns:
        whole = column == "subscription"  # an id is copied into the next command
        shown.add_column(
            column, justify="right" if column in right else "left", overflow="fold", no_wrap=whole
        )
    for row in rows:
        shown.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    console.print(shown)
