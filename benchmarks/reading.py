"""Reading an import file as the command does; imports nothing but the rules, so that its memory can be measured."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from domain import catalogue, intake
from domain.intake_row import Row

BLOCK = 1 << 16
CATALOGUE = Path(catalogue.__file__).with_name("catalogue.toml")


def checked(file: Path) -> int:
    """Check a file; how many rows are good."""

    def blocks() -> Iterator[bytes]:
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                yield block

    prices = catalogue.parse(CATALOGUE.read_text(encoding="utf-8"))
    found = intake.check_csv(blocks(), prices, datetime.now(UTC).date())
    return sum(isinstance(row, Row) for row in found)


def peak_bytes() -> int:
    """The most memory that this process has held; on Linux `ru_maxrss` would count its parent's too."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return getrusage(RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    for name in sys.argv[1:]:
        checked(Path(name))
    sys.stdout.write(str(peak_bytes()))
