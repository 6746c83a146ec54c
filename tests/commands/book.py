"""Import files: rows of a book of licenses, good unless a test says otherwise, and no key twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

from commands.year import WRITTEN_ON
from domain.intake_row import COLUMNS
from domain.local_time import local_date
from tests.commands.program import ROOT

EXAMPLES = ROOT / "examples"
_numbers = count(1)


def today() -> date:
    """The business's local day."""
    return local_date(datetime.now(UTC), "Europe/London")


def row(**cells: str) -> dict[str, str]:
    """A good row with a customer and a key of its own; the cells given replace others."""
    number = next(_numbers)
    return {
        "customer_email": f"customer{number}@example.com",
        "customer_name": f"Customer {number}",
        "country": "GB",
        "currency": "GBP",
        "license_key": f"TEST-{number:06d}-KEY-{number:04d}",
        "product": "SmarterMail",
        "edition": "Professional",
        "size": "250",
        "addons": "",
        "expires_on": str(today() + timedelta(days=200)),
        "renews_on": "",
        "opening_credit": "",
        "previous_customer": "",
        "card_token": "",
    } | cells


def as_csv(rows: Iterable[dict[str, str]]) -> str:
    """The rows as a CSV file with a header."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def write(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    """Write the rows to a file."""
    path.write_text(as_csv(rows), encoding="utf-8")
    return path


def example(name: str) -> list[dict[str, str]]:
    """The rows of an example file, its dates shifted as far as today is from the day it was written for."""
    with (EXAMPLES / name).open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for found in rows:
        for column in ("expires_on", "renews_on"):
            if found[column]:
                found[column] = str(date.fromisoformat(found[column]) + (today() - WRITTEN_ON))
    return rows
