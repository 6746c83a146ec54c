"""A forecast, or two side by side, in the ways in which it is given out: one JSON document, CSV files, a page."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.foresight import Cost, no_cost
from forecast import contrast, page, tables
from forecast.assumptions import ALWAYS
from forecast.foreseen import Foreseen
from forecast.shelf import DOCUMENT, PAGE
from forecast.tables import UPDATES_A_DAY, Table

FORMULA = re.compile(r"[=+@\t\r]|-(?![0-9])")


@dataclass(frozen=True)
class Report:
    """What was foreseen as things are set, and under other assumptions."""

    plain: Foreseen
    what_if: Foreseen | None = None
    cost: Cost = no_cost
    updates_a_day: int = UPDATES_A_DAY
    comparison: Table | None = None
    """Beside what an old system would have charged."""

    @property
    def sides(self) -> Iterator[tuple[str, Foreseen]]:
        """One or two forecasts, with their names."""
        yield "plain", self.plain
        if self.what_if is not None:
            yield "what-if", self.what_if

    def tables(self, seen: Foreseen) -> list[Table]:
        """The tables of one of them."""
        return tables.all_tables(seen, self.cost, self.updates_a_day)

    def differences(self) -> list[Table]:
        """What differs, between the two or from an old system."""
        compared = [self.comparison] if self.comparison is not None else []
        if self.what_if is None:
            return compared
        return [*compared, *contrast.differences(self.plain, self.what_if, (self.cost, self.cost))]

    def document(self) -> dict[str, Any]:
        """All of it as JSON values: amounts are minor units."""
        document: dict[str, Any] = {"taken_for_granted": list(ALWAYS)}
        for name, seen in self.sides:
            shown = {table.name: list(table.rows) for table in self.tables(seen)}
            document[name.replace("-", "_")] = seen.facts() | shown
        for table in self.differences():
            document[table.name.replace("-", "_")] = list(table.rows)
        return document

    def write(self, folder: Path) -> None:
        """Write document, page and CSV files into the folder, which is there whole or not at all.

        Raises FileExistsError when something is there.
        """
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty: take another folder for the forecast")
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        text = json.dumps(self.document(), indent=1, default=str, ensure_ascii=False)
        (unfinished / DOCUMENT).write_text(text, encoding="utf-8")
        (unfinished / PAGE).write_text(page.page(self), encoding="utf-8")
        for name, seen in self.sides:
            for table in self.tables(seen):
                _write(unfinished / f"{name}-{table.name}.csv", table)
        for table in self.differences():
            _write(unfinished / f"{table.name}.csv", table)
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)


def _write(path: Path, table: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(column.removesuffix(tables.MINOR) for column in table.columns)
        writer.writerows([_harmless(cell) for cell in row] for row in table.amounts_plain())


def _harmless(cell: object) -> object:
    """A spreadsheet takes a text that begins so for a formula: a name is to stay a name."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell
