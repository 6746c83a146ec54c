"""The whole check of an import file (R26): bytes in; good rows and problems out, in the order of the file.

    lines ─► csv or json ─► cells ─► check (values, catalogue, dates, keys seen) ─► Row | Problem

Pure: the caller opens the file, names the day and decides what becomes of the rows. Nothing is stored but a
digest of each key, so a file of any length is checked in the memory of one row and those digests.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, Literal

from domain import intake_csv, intake_json
from domain.catalogue import Catalogue
from domain.intake_cells import Cells
from domain.intake_check import RowCheck
from domain.intake_lines import lines
from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import Row

FileFormat = Literal["csv", "jsonl"]

_FORMATS: Final[dict[str, FileFormat]] = {"csv": "csv", "jsonl": "jsonl"}


def format_of(filename: str) -> FileFormat:
    """Tell the format by the file's name: ``.csv`` or ``.jsonl``; raises ``UnreadableFile`` for any other."""
    _, dot, ending = filename.rpartition(".")
    if not dot or ending.lower() not in _FORMATS:
        what = "the file's name ends in neither .csv nor .jsonl"
        raise UnreadableFile(None, what, "Save it as CSV or as JSON lines.")
    return _FORMATS[ending.lower()]


def check_csv(
    chunks: Iterable[bytes], catalogue: Catalogue, today: date, notice_days: int = 15
) -> Iterator[Row | Problem]:
    """Check a CSV file with a header line (R26), chunk by chunk.

    ``today`` is the business's local day, so no time zone is needed; ``notice_days`` is that of R2. A good
    row gives itself, a bad one all of its problems. Raises ``UnreadableFile``, possibly after rows were
    given: take none before the end is reached.
    """
    return _checked(intake_csv.rows(lines(chunks)), RowCheck(catalogue, today, notice_days))


def check_json_lines(
    chunks: Iterable[bytes], catalogue: Catalogue, today: date, notice_days: int = 15
) -> Iterator[Row | Problem]:
    """Check a file of JSON lines (R26), chunk by chunk; otherwise as ``check_csv``."""
    return _checked(intake_json.rows(lines(chunks)), RowCheck(catalogue, today, notice_days))


def _checked(rows: Iterable[Cells | Problem], row_check: RowCheck) -> Iterator[Row | Problem]:
    for cells in rows:
        if isinstance(cells, Problem):
            yield cells
            continue
        found = row_check.check(cells)
        if isinstance(found, Row):
            yield found
        else:
            yield from found
