"""What the Temporal server really keeps: every cell of its store, as whoever has its disk would read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path


def cells(file: Path) -> Iterator[tuple[str, bytes]]:
    """Each cell of each table, with the table's name; read beside the running server."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in store.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    if isinstance(cell, str):
                        yield table, cell.encode()
                    elif isinstance(cell, bytes):
                        yield table, cell


def tables_with(file: Path, text: str) -> set[str]:
    """The tables in which a text stands in clear, in whatever case it is written."""
    wanted = text.encode().lower()
    return {table for table, cell in cells(file) if wanted in cell.lower()}


def disk(file: Path) -> bytes:
    """The bytes of the store and of its log on the disk."""
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
