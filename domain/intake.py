"""The whole check of a file (R26): bytes in; good rows and problems out, in the order of the file.

    lines ─► csv or json ─► cells ─► check (values, catalogue, dates, keys seen) ─► Row | Problem

Pure: the caller opens the file, names the day and decides what becomes of the rows. Nothing is stored but a
digest of each key, so a file of any length is checked in the memory of one row and those digests.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final, Literal, TypeVar

from domain import intake_csv, intake_json
from domain.catalogue import Catalogue
from domain.intake_cells import Cells
from domain.intake_check import RowCheck
from domain.intake_columns import Columns
from domain.intake_license import LicenseCheck
from domain.intake_lines import lines
from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import LICENSES, Row

Good = TypeVar("Good")

FileFormat = Literal["csv", "jsonl"]

_FORMATS: Final[dict[str, FileFormat]] = {"csv": "csv", "jsonl": "jsonl"}
_ROWS: Final = {"csv": intake_csv.rows, "jsonl": intake_json.rows}


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
    """Check a CSV file of licenses with a header line (R26), chunk by chunk.

    ``today`` is the business's local day, so no time zone is needed; ``notice_days`` is that of R2. A good
    row gives itself, a bad one all of its problems. Raises ``UnreadableFile``, possibly after rows were
    given: take none before the end is reached.
    """
    return checked("csv", chunks, LICENSES, _row_check(catalogue, today, notice_days))


def check_json_lines(
    chunks: Iterable[bytes], catalogue: Catalogue, today: date, notice_days: int = 15
) -> Iterator[Row | Problem]:
    """Check a file of JSON lines (R26), chunk by chunk; otherwise as ``check_csv``."""
    return checked("jsonl", chunks, LICENSES, _row_check(catalogue, today, notice_days))


def checked(
    written_as: FileFormat,
    chunks: Iterable[bytes],
    columns: Columns,
    check: Callable[[Cells], Good | list[Problem]],
) -> Iterator[Good | Problem]:
    """Check a file of these columns row by row, whatever its rows are. Raises ``UnreadableFile``."""
    for cells in _ROWS[written_as](lines(chunks), columns):
        if isinstance(cells, Problem):
            yield cells
            continue
        found = check(cells)
        if isinstance(found, list):
            yield from found
        else:
            yield found


def _row_check(catalogue: Catalogue, today: date, notice_days: int) -> Callable[[Cells], Row | list[Problem]]:
    return RowCheck(LicenseCheck(catalogue, today, notice_days)).check
