"""Books of licenses to measure with: import files, and rows already checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

from benchmarks.ground import Ground
from db import intakes
from db.arrivals import Storing
from db.identifiers import new_id
from domain.intake_row import COLUMNS, Row

_numbers = count(1)


def write(path: Path, rows: int, expires_on: date) -> None:
    """Write an import file of so many good rows."""
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for n in range(rows):
            key = f"BENCH-{n:08d}-MARK-{n % 9973:04d}"
            file.write(
                f"customer{n}@example.com,Customer {n} Ltd,GB,GBP,{key},"
                f"SmarterMail,Professional,250,Message Sniffer,{expires_on},,200.00,no,\n"
            )


def rows(number: int, expires_on: date, opening_credit_minor: int = 0) -> Iterator[Row]:
    """So many checked rows, each with a customer and a key that was never there before."""
    for _ in range(number):
        n = next(_numbers)
        yield Row(
            line=n,
            customer_email=f"customer{n}@bench.example",
            customer_name=f"Customer {n}",
            country="GB",
            currency="GBP",
            license_key=f"BENCH-{n:010d}-{n % 9973:04d}",
            product="SmarterMail",
            edition="Professional",
            size="250",
            addons=(),
            expires_on=expires_on,
            renews_on=None,
            opening_credit_minor=opening_credit_minor,
            previous_customer=False,
            card_token=None,
            window_closed=False,
        )


async def store(
    ground: Ground, number: int, expires_on: date, opening_credit_minor: int = 0, intake_id: str | None = None
) -> str:
    """Store so many new rows as an import does; the import's id."""
    storing = Storing(
        intake_id=intake_id or new_id("imp"),
        filename="benchmark.csv",
        digest=sha256(b"benchmark").digest(),
        requested_by="benchmark",
        at=datetime.now(UTC),
        key_ring=ground.settings.key_ring(),
        policy=ground.settings.policy(),
    )
    async with ground.sessions.begin() as session:
        await intakes.store(session, storing, rows(number, expires_on, opening_credit_minor))
    return storing.intake_id
