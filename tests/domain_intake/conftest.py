"""A good row to spoil, the two checks as functions of plain values, and the shipped catalogue.

Hypothesis goes without deadlines: a busy machine is no broken rule.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from domain import catalogue as catalogues
from domain.intake import check_csv, check_json_lines
from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import COLUMNS, Row

TODAY = date(2026, 11, 23)

settings.register_profile(
    "intake", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("intake")


@pytest.fixture(scope="package")
def catalogue() -> catalogues.Catalogue:
    return catalogues.parse((Path(catalogues.__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="package")
def good() -> Callable[..., dict[str, str]]:
    """Make the cells of a good row, with a key of its own, changed as asked."""
    numbers = count(1)

    def make(**changes: str) -> dict[str, str]:
        cells = dict.fromkeys(COLUMNS, "") | {
            "customer_email": "jo@pine.example",
            "customer_name": "Pine Hosting Ltd",
            "country": "GB",
            "currency": "GBP",
            "license_key": f"ABCDE-FGHJK-LMNPQ-{next(numbers):05}",
            "product": "SmarterMail",
            "edition": "Enterprise",
            "size": "250",
            "expires_on": "2027-08-31",
        }
        assert changes.keys() <= cells.keys()
        return cells | changes

    return make


@pytest.fixture(scope="package")
def written() -> Callable[..., bytes]:
    """Write rows as a spreadsheet would."""

    def write(*rows: dict[str, str]) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    return write


@pytest.fixture(scope="package")
def check(catalogue: catalogues.Catalogue) -> Callable[..., list[Row | Problem]]:
    """Check a CSV file given whole or in chunks."""

    def run(file: bytes | Iterable[bytes], **settings: int) -> list[Row | Problem]:
        return list(check_csv([file] if isinstance(file, bytes) else file, catalogue, TODAY, **settings))

    return run


@pytest.fixture(scope="package")
def check_json(catalogue: catalogues.Catalogue) -> Callable[..., list[Row | Problem]]:
    """Check JSON lines: bytes as they are, anything else written first."""

    def run(*lines: object) -> list[Row | Problem]:
        chunks = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        return list(check_json_lines((chunk + b"\n" for chunk in chunks), catalogue, TODAY))

    return run


@pytest.fixture(scope="package")
def refusal(check: Callable[..., list[Row | Problem]]) -> Callable[..., UnreadableFile]:
    """Check a CSV file that is unreadable as a whole, and tell why."""

    def run(file: bytes | Iterable[bytes]) -> UnreadableFile:
        with pytest.raises(UnreadableFile) as caught:
            check(file)
        return caught.value

    return run


@pytest.fixture(scope="package")
def check_one(
    check: Callable[..., list[Row | Problem]],
    good: Callable[..., dict[str, str]],
    written: Callable[..., bytes],
) -> Callable[..., list[Row | Problem]]:
    """Check one good row with some cells changed."""

    def run(**changes: str) -> list[Row | Problem]:
        return check(written(good(**changes)))

    return run
