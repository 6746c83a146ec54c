"""A row of an import file → a good ``Row``, or all that is wrong with it (R26): each license once.

Not the file: lines, quotes and JSON are dealt with before. What describes one license is in ``intake_license``.
"""

from dataclasses import dataclass, field

from domain import intake_values as values
from domain.intake_cells import Cells
from domain.intake_license import LicenseCheck
from domain.intake_problem import Problem
from domain.intake_row import Row
from domain.intake_seen import Seen


@dataclass(slots=True)
class RowCheck:
    """Checks the rows of one file, in turn."""

    licenses: LicenseCheck
    _keys: Seen = field(init=False, repr=False, default_factory=Seen)

    def check(self, cells: Cells) -> Row | list[Problem]:
        """Give the row, or its problems, at least one (R26)."""
        row = self.licenses.read(cells)
        license_key = cells.read("license_key", values.license_key, "")
        if license_key:
            self._refuse_seen(cells, license_key)
        return cells.problems if row is None or cells.problems else row

    def _refuse_seen(self, cells: Cells, license_key: str) -> None:
        first = self._keys.first_line(license_key.upper(), cells.line)
        if first != cells.line:
            reason = f"the key ending in {license_key[-4:]} is in the file twice, first on line {first}"
            cells.refuse("license_key", reason, "Leave one of the two rows.")
