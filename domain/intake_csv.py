"""Lines of a CSV file → the cells of its rows (R26): header, commas and quotes; not what a cell may hold."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from domain.intake_cells import BLANKS, Cells
from domain.intake_columns import Columns
from domain.intake_problem import MOST_NAMED, Problem, UnreadableFile, closest, shown

_OTHER_DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


def rows(lines: Iterable[tuple[int, str]], columns: Columns) -> Iterator[Cells | Problem]:
    """Give the cells of each row, or why it could not be taken apart; rows of empty cells are skipped.

    Raises ``UnreadableFile`` for a wrong header and for a header alone.
    """
    remaining = iter(lines)
    number, first = next(remaining)
    header = _header(number, first, columns)
    empty = True
    for line, text in remaining:
        try:
            cells = _split(text)
        except csv.Error:
            empty = False
            yield _not_csv(line, text)
            continue
        if not any(cells):
            continue
        empty = False
        if len(cells) == len(header):
            yield Cells(line, dict(zip(header, cells, strict=True)))
        else:
            yield _wrong_count(line, len(cells), len(header))
    if empty:
        raise UnreadableFile(number, "there is nothing below the header", "Write at least one row.")


def _split(text: str) -> list[str]:
    return next(csv.reader((text,), strict=True))


def _header(number: int, text: str, columns: Columns) -> list[str]:
    as_it_should_be = f"Make the first line {','.join(columns.names)}"
    try:
        header = [name.strip(BLANKS) for name in _split(text)]
    except csv.Error:
        header = []
    for delimiter, name in _OTHER_DELIMITERS.items():
        if len(_known(text.split(delimiter), columns)) > max(1, len(_known(header, columns))):
            raise UnreadableFile(number, f"the cells are separated by {name}", "Separate them by commas.")
    if "\r" in text:
        what = "there is a carriage return inside the line, as on an old Macintosh"
        raise UnreadableFile(number, what, "Save with the line ends of Unix or Windows.")
    if not _known(header, columns):
        raise UnreadableFile(number, "the first line is not a header", f"{as_it_should_be}.")

    missing = [column for column in columns.names if column not in header]
    unknown = [name for name in header if name not in columns.names]
    twice = [name for name, count in Counter(header).items() if count > 1 and name in columns.names]
    faults = [f"{', '.join(missing)} missing"] * bool(missing)
    faults += [f"{_with_hint(name, missing)} unknown" for name in unknown[:MOST_NAMED]]
    faults += [f"{name} twice" for name in twice]
    if faults:
        mend = f"{as_it_should_be}, in any order. Below, {', '.join(columns.may_be_empty)} may be empty."
        raise UnreadableFile(number, f"wrong columns: {'; '.join(faults)}", mend)
    return header


def _known(names: Iterable[str], columns: Columns) -> set[str]:
    return {name.strip(BLANKS + '"') for name in names} & set(columns.names)


def _with_hint(name: str, missing: list[str]) -> str:
    meant = closest(name, missing)
    return f"{name!r} (did you mean {meant}?)" if meant else shown(name)


def _not_csv(line: int, text: str) -> Problem:
    if "\r" in text:
        return Problem(line, None, "there is a carriage return inside the row", "Write each row on one line.")
    mend = "Close on the same line what is opened on it, and write a quote inside a quoted cell twice."
    return Problem(line, None, "the double quotes do not match", mend)


def _wrong_count(line: int, found: int, expected: int) -> Problem:
    quote_commas, keep_commas = "Put a cell with a comma in double quotes.", "Keep the commas of empty cells."
    reason = f"the row has {found:,} cells, the header {expected}"
    return Problem(line, None, reason, quote_commas if found > expected else keep_commas)
