"""The mail sandbox's book: every mail that was taken, in one SQLite file, and where its SMTP door is.

Used from one thread only (the server's event loop). What was answered is committed first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

SCHEMA = """
    CREATE TABLE IF NOT EXISTS mails (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at TEXT NOT NULL,
        sender TEXT NOT NULL,             -- as in the envelope
        recipients TEXT NOT NULL,         -- as in the envelope, a JSON list
        content BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS door (host TEXT NOT NULL, port INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Mail:
    """One mail as it came."""

    id: int
    received_at: str
    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.content, policy=default)

    def part(self, subtype: str) -> str:
        """The text of its part `plain` or `html`; empty if it has none."""
        found = self.message.get_body((subtype,))
        return "" if found is None else str(found.get_content()).replace("\r\n", "\n")

    def summary(self) -> dict[str, Any]:
        """The mail in short, as JSON values."""
        message = self.message
        return {
            "id": self.id,
            "received_at": self.received_at,
            "from": self.sender,
            "to": self.recipients,
            "subject": message["Subject"],
            "message_id": message["Message-ID"],
        }

    def document(self) -> dict[str, Any]:
        """The whole mail, as JSON values."""
        headers = [[name, str(value)] for name, value in self.message.items()]
        return {**self.summary(), "headers": headers, "text": self.part("plain"), "html": self.part("html")}


class Book:
    """The mails. Every command is one transaction and is committed when it returns."""

    def __init__(self, path: Path) -> None:
        """Open the file, made if there is none, with its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        # NORMAL: a killed process loses nothing that was committed; only a power cut could.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)

    def close(self) -> None:
        """Fold the log into the file."""
        self._db.close()

    def opened(self, host: str, port: int) -> None:
        """Write down where the SMTP door is."""
        self._db.executescript("DELETE FROM door")
        self._db.execute("INSERT INTO door VALUES (?, ?)", (host, port))

    def take(self, sender: str, recipients: Sequence[str], content: bytes) -> None:
        """Keep a mail."""
        row = (datetime.now(UTC).isoformat(), sender, json.dumps(list(recipients)), content)
        self._db.execute(
            "INSERT INTO mails (received_at, sender, recipients, content) VALUES (?, ?, ?, ?)", row
        )

    def mails(self, before: int | None = None, limit: int = 200, to: str | None = None) -> list[Mail]:
        """Mails, newest first: those before this number, those to this address."""
        query = (
            "SELECT * FROM mails WHERE id < coalesce(?, id + 1)"
            " AND (? IS NULL OR EXISTS (SELECT 1 FROM json_each(recipients) WHERE lower(value) = lower(?)))"
            " ORDER BY id DESC LIMIT ?"
        )
        return [_mail(row) for row in self._db.execute(query, (before, to, to, limit))]

    def mail(self, number: int) -> Mail | None:
        """One mail."""
        row = self._db.execute("SELECT * FROM mails WHERE id = ?", (number,)).fetchone()
        return None if row is None else _mail(row)

    def count(self) -> int:
        """How many there are."""
        return int(self._db.execute("SELECT count(*) FROM mails").fetchone()[0])

    def clear(self) -> None:
        """Throw all mails away. Numbers are not used again."""
        self._db.execute("DELETE FROM mails")


def smtp_environment(path: Path) -> dict[str, str]:
    """The settings under which our programs find the sandbox that keeps its book in this file; none without one."""
    if not path.exists():
        return {}
    reader = sqlite3.connect(path)
    try:
        host, port = reader.execute("SELECT host, port FROM door").fetchone()
    finally:
        reader.close()
    return {
        "EVERGREEN_SMTP_HOST": host,
        "EVERGREEN_SMTP_PORT": str(port),
        "EVERGREEN_SMTP_SECURITY": "none",
    }


def _mail(row: tuple[int, str, str, str, bytes]) -> Mail:
    number, received_at, sender, recipients, content = row
    return Mail(number, received_at, sender, json.loads(recipients), content)
