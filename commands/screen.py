"""What a command prints: tables for people, or one JSON document for machines and nothing else on standard output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

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

IDS = ("subscription", "update", "request", "difference")
"""Columns of ids, each of which is copied into the next command: never broken in two."""

console = Console()
to_errors = Console(stderr=True)


def document(value: Any) -> None:
    """Print the one JSON document of a command; dates and instants are written as ISO 8601."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def moment(instant: datetime, zone: str) -> str:
    """An instant as clocks in the business's zone show it."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> None:
    """Print a table; `right` names the columns of numbers. Cells are shown as they are: a name may have brackets."""
    shown = Table(title=escape(title), title_justify="left", header_style="bold", pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        shown.add_column(column, justify=justify, overflow="fold", no_wrap=column in IDS)
    for row in rows:
        shown.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    console.print(shown)
