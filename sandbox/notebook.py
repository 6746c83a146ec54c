"""What a sandbox remembers: one SQLite file, which survives `kill -9`. What is answered is committed first.

Used from one thread only (the server's event loop), so a transaction is never shared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class Notebook:
    """An open file with the tables of a schema; the sandbox's own book is made of it."""

    def __init__(self, path: Path, schema: str) -> None:
        """Open the file, made if there is none, with its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        # NORMAL: a killed process loses nothing that was committed; only a power cut could.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + schema)

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Carry out one statement; inside a transaction, as part of it."""
        return self._db.execute(statement, values)

    def close(self) -> None:
        """Fold the log into the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
