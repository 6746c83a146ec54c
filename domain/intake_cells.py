"""The cells of one row as text, while they are read: values are taken out, and every fault is noted (R26).

What a cell may hold is said in ``intake_values``; what cells must be to each other in ``intake_license``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from domain.intake_problem import Problem

T = TypeVar("T")

BLANKS: Final = " \t\u00a0\u3000"


@dataclass(eq=False)
class BadCell(ValueError):
    """The text is not what its column holds."""

    reason: str
    mend: str

    def __str__(self) -> str:
        """Say what is wrong and how to mend it."""
        return f"{self.reason}. {self.mend}"


@dataclass(slots=True)
class Cells:
    """One row before it is checked: a column that is absent counts as empty."""

    line: int
    texts: dict[str, str] = field(repr=False)
    problems: list[Problem] = field(default_factory=list)

    def read(self, column: str, reader: Callable[[str], T], otherwise: T) -> T:
        """Take the column's value, or note its fault and give ``otherwise``, so that the rest is read too."""
        if not self.sound(column):
            return otherwise
        try:
            return reader(self.texts.get(column, ""))
        except BadCell as bad:
            self.refuse(column, bad.reason, bad.mend)
            return otherwise

    def read_if_there(self, column: str, reader: Callable[[str], T], otherwise: T) -> T:
        """Take the column's value, or ``otherwise`` where the cell is empty."""
        return self.read(column, reader, otherwise) if self.texts.get(column, "").strip(BLANKS) else otherwise

    def refuse(self, column: str, reason: str, mend: str) -> None:
        """Note a fault of the column."""
        self.problems.append(Problem(self.line, column, reason, mend))

    def sound(self, *columns: str) -> bool:
        """Tell whether no fault of these columns is noted."""
        return not self.problems or not any(problem.column in columns for problem in self.problems)
