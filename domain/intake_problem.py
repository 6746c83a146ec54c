"""What is wrong with an import file, in words for whoever mends it (R26), with no secret in them (R28).

A fault of one row is a ``Problem`` and the check goes on; a fault of the whole file is an ``UnreadableFile``
and ends it. Neither ever holds a whole license key or e-mail address, in whichever column it was put.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

MOST_NAMED: Final = 10
"""Of a thousand unknown names in one line nobody reads more."""

_LONGEST_SHOWN: Final = 40

# A license key has 10 characters or more and no blanks; it may stand in any column of a row that has slipped.
_MAYBE_A_KEY: Final = re.compile(r"\S{10,}")
_DATE_LIKE: Final = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of one row: its line in the file (the first is 1), its column if it has one, why, the mend."""

    line: int
    column: str | None
    reason: str
    mend: str

    def __str__(self) -> str:
        """Say where, what and how to mend it."""
        place = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{place}: {self.reason}. {self.mend}"


@dataclass(eq=False)
class UnreadableFile(ValueError):
    """The file as a whole cannot be checked; ``line`` is where that showed, if it showed on a line."""

    line: int | None
    what: str
    mend: str

    def __str__(self) -> str:
        """Say where, what and how to mend it."""
        place = f"line {self.line}: " if self.line is not None else ""
        return f"{place}{self.what}. {self.mend}"


def shown(text: str) -> str:
    """Quote a cell: cut short, and whatever could be a key or an address masked (R28)."""
    if "@" in text:
        return "'…@…'"
    masked = _MAYBE_A_KEY.sub(_masked, text[: 2 * _LONGEST_SHOWN])
    return repr(masked if len(masked) <= _LONGEST_SHOWN else masked[:_LONGEST_SHOWN] + "…")


def not_among(text: str, what: str, possible: Iterable[str]) -> tuple[str, str]:
    """Word the reason and the mend for a name that is not one of ``possible``, with the nearest if any."""
    names = tuple(possible)
    choice = f"Possible: {', '.join(names) or 'none'}."
    nearest = closest(text, names)
    # What is nearly a name is no key: it is shown whole.
    quoted = repr(text) if closest(text, names, cutoff=0.75) else shown(text)
    return f"{quoted} is not {what}", f"Did you mean {nearest!r}? {choice}" if nearest else choice


def closest(text: str, possible: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Find the name that was probably meant, whatever its case, blanks and hyphens; no number is near another."""
    names = {_folded(name): name for name in possible}
    if "@" in text or text.isdigit() or len(text) > _LONGEST_SHOWN:
        return None
    found = get_close_matches(_folded(text), names, n=1, cutoff=cutoff)
    return names[found[0]] if found else None


def _folded(name: str) -> str:
    return re.sub("[ _-]+", "_", name.strip().lower())


def _masked(run: re.Match[str]) -> str:
    return run[0] if _DATE_LIKE.fullmatch(run[0]) else f"…{run[0][-4:]}"
