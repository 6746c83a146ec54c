"""Which columns a file has (R26): of licenses, of purchases. What a cell of each may hold is in ``intake_values``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a CSV file, in any order, and the keys of a JSON line."""

    names: tuple[str, ...]
    may_be_empty: tuple[str, ...]
    """Those whose cells may be empty, and whose keys may be left out."""
