"""Lines of JSON → the cells of rows (R26): an object a line with the columns' names as keys.

Not what a value may be: all are texts written as in CSV, so that no number is read as another than was meant.
Only ``addons`` may also be a list of texts, and ``previous_customer`` true or false.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from domain.intake_cells import Cells
from domain.intake_columns import Columns
from domain.intake_problem import MOST_NAMED, Problem, UnreadableFile, not_among

# Pairs, because a dictionary hides a key that is there twice. Numbers are refused whatever they are: as floats
# even one of 60,000 digits is read.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=tuple, parse_int=float)

_ONE_A_LINE: Final = "Write one object a line, without commas between them."
_TEXT: Final = 'Write it as a text in quotes, like "200.00".'
_MENDS: Final = {
    "addons": "Write a list of names, each a text in quotes, or one text with semicolons between them.",
    "previous_customer": 'Write true or false, or "yes" or "no".',
}


def rows(lines: Iterable[tuple[int, str]], columns: Columns) -> Iterator[Cells | Problem]:
    """Give the cells of each object, the faults of its keys and types noted, or why it could not be read.

    Raises ``UnreadableFile`` for a file that is JSON, but not a value a line.
    """
    for position, (line, text) in enumerate(lines):
        if position == 0 and text.lstrip().startswith("["):
            raise UnreadableFile(line, "this is one JSON list, not JSON lines", _ONE_A_LINE)
        if position == 0 and text.strip() == "{":
            raise UnreadableFile(line, "an object begins here and goes on below", _ONE_A_LINE)
        yield _row(line, text, columns)


def _row(line: int, text: str, columns: Columns) -> Cells | Problem:
    try:
        pairs = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = f"this is not JSON from character {error.colno} on ({error.msg})"
        return Problem(line, None, reason, _ONE_A_LINE)
    except RecursionError:
        return Problem(line, None, "the JSON is nested too deep", _ONE_A_LINE)
    if not text.lstrip().startswith("{"):
        mend = 'Write {"customer_email": "jo@example.com", …}.'
        return Problem(line, None, "this is not a JSON object", mend)
    return _cells(line, pairs, columns)


def _cells(line: int, pairs: tuple[tuple[str, Any], ...], columns: Columns) -> Cells:
    cells = Cells(line, {})
    unknown = []
    for key, value in pairs:
        text = value if isinstance(value, str) else _as_text(key, value)
        if key not in columns.names:
            unknown.append(key)
        elif key in cells.texts or not cells.sound(key):
            cells.refuse(key, "the key is there twice", "Write it once.")
        elif text is None:
            cells.refuse(key, "the value is of the wrong type", _MENDS.get(key, _TEXT))
        else:
            cells.texts[key] = text

    absent = [column for column in columns.names if column not in cells.texts]
    for key in unknown[:MOST_NAMED]:
        cells.problems.append(Problem(line, None, *not_among(key, "a key we know", absent)))
    return cells


def _as_text(key: str, value: object) -> str | None:
    match value:
        case bool() if key == "previous_customer":
            return "yes" if value else "no"
        case list() if key == "addons" and all(isinstance(name, str) and ";" not in name for name in value):
            return ";".join(value)
    return None
