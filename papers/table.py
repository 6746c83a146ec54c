"""A table on a sheet: it goes on to the next page between two rows, under the same headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from papers.lettering import shown
from papers.sheet import GREEN, LABEL, LINE, PALE, Align, Sheet, Style

GAP_MM = 4.0
"""Between the text of a column and the next."""

Texts = tuple[tuple[str, Style], ...]
"""What stands in a cell, each on lines of its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its heading; without one when no column of the table has any."""

    width_mm: float
    label: str = ""
    align: Align = "L"

    @property
    def text_mm(self) -> float:
        """How wide its texts may be."""
        return self.width_mm if self.align == "R" else self.width_mm - GAP_MM


@dataclass(frozen=True)
class Table:
    """Columns from `x_mm` to the right; where they have no headings, the first cell of a row is its heading."""

    sheet: Sheet
    columns: tuple[Column, ...]
    x_mm: float = 0
    pad_mm: float = 1.7
    ruled: bool = True

    def draw(self, rows: Sequence[tuple[Texts, ...]], sum_row: tuple[Texts, ...] | None = None) -> None:
        """Draw the rows; one of sums stands out below them."""
        with self.sheet.group("Table"):
            if self._has_headings:
                self._tagged(self._headings, headings=True)
                self._rule_below_headings()
            for row in rows:
                self._break_before(row)
                self._tagged(row)
                if self.ruled:
                    self.sheet.rule(self.sheet.y, LINE, self.x_mm, self._width_mm)
            if sum_row is not None:
                self.sheet.down(1)
                self._break_before(sum_row)
                self.sheet.box(self._height(sum_row), PALE, self.x_mm, self._width_mm)
                self._tagged(sum_row)

    @property
    def _has_headings(self) -> bool:
        return any(column.label for column in self.columns)

    @property
    def _width_mm(self) -> float:
        return sum(column.width_mm for column in self.columns)

    @property
    def _headings(self) -> tuple[Texts, ...]:
        return tuple(((column.label, LABEL),) for column in self.columns)

    def _break_before(self, row: tuple[Texts, ...]) -> None:
        """Go to a new page if the row needs it; the headings there are not read aloud again."""
        if self.sheet.has_room(self._height(row)):
            return
        self.sheet.add_page()
        if self._has_headings:
            with self.sheet.artifact():
                top = self.sheet.y
                for column, x_mm in self._places():
                    self.sheet.set_y(top + self.pad_mm)
                    self.sheet.draw(column.label, LABEL, x_mm, column.text_mm, column.align)
                self.sheet.set_y(top + self._height(self._headings))
            self._rule_below_headings()

    def _rule_below_headings(self) -> None:
        if self.ruled:
            self.sheet.rule(self.sheet.y, GREEN, self.x_mm, self._width_mm)

    def _tagged(self, row: tuple[Texts, ...], headings: bool = False) -> None:
        top = self.sheet.y
        below = top + self._height(row)
        with self.sheet.group("TR"):
            for number, ((column, x_mm), texts) in enumerate(zip(self._places(), row, strict=True)):
                self.sheet.set_y(top + self.pad_mm)
                heads_row = number == 0 and not self._has_headings
                with self.sheet.table_cell("Column" if headings else "Row" if heads_row else None):
                    for text, style in texts:
                        with self.sheet.content("P", shown(text)):
                            self.sheet.draw(text, style, x_mm, column.text_mm, column.align)
        self.sheet.set_y(below)

    def _height(self, row: tuple[Texts, ...]) -> float:
        tallest = max(
            sum(self.sheet.height(text, style, column.text_mm) for text, style in texts)
            for column, texts in zip(self.columns, row, strict=True)
        )
        return tallest + 2 * self.pad_mm

    def _places(self) -> list[tuple[Column, float]]:
        """Each column with where it begins."""
        places, x_mm = [], self.x_mm
        for column in self.columns:
            places.append((column, x_mm))
            x_mm += column.width_mm
        return places
