"""A sheet of A4: type, color, and texts at a place. Tables are in `papers.table`; what is written is not here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, cast

from papers.lettering import BOLD, FAMILY, REGULAR, shown
from papers.tags import TaggedPDF

MARGIN_MM: Final = 20.0
TOP_MM: Final = 18.0
BOTTOM_MM: Final = 22.0
WIDTH_MM: Final = 210 - 2 * MARGIN_MM
ALL_PAGES: Final = "\ue000"
"""Stands for the number of pages until it is known; no text that is shown can have it."""

Color = tuple[int, int, int]
Align = Literal["L", "R"]

INK: Final = (23, 32, 28)
SOFT: Final = (86, 98, 92)
GREEN: Final = (20, 83, 45)
AMBER: Final = (146, 64, 14)
PALE: Final = (236, 244, 239)
LINE: Final = (208, 218, 212)


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is set; `size` in points. Beside a bigger text it stands as high as `beside`."""

    size: float
    bold: bool = False
    color: Color = INK
    beside: float = 0

    @property
    def leading_mm(self) -> float:
        """From one line to the next."""
        return max(self.size, self.beside) * 0.3528 * 1.4


TITLE: Final = Style(20, bold=True)
HEADING: Final = Style(11.5, bold=True)
SELLER: Final = Style(13, bold=True, color=GREEN)
BODY: Final = Style(9.5)
MUTED: Final = Style(8.5, color=SOFT, beside=9.5)
STRONG: Final = Style(9.5, bold=True)
LABEL: Final = Style(8, bold=True, color=SOFT)
SMALL: Final = Style(8, color=SOFT)
TOTAL: Final = Style(11, bold=True)


class Sheet(TaggedPDF):
    """Pages with a band on top and a foot; `y` is where the next thing goes, x counts from the left margin."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.add_font(FAMILY, "", REGULAR)
        self.add_font(FAMILY, "B", BOLD)
        self.alias_nb_pages(ALL_PAGES)
        self.set_margins(MARGIN_MM, TOP_MM, MARGIN_MM)
        self.set_auto_page_break(False)
        self.c_margin = 0.0
        self.add_page()

    @property
    def bottom_mm(self) -> float:
        """Where the last row has to end."""
        return self.h - BOTTOM_MM

    def header(self) -> None:
        """Draw the band; fpdf2 calls this on every page."""
        with self.artifact():
            self.set_fill_color(*GREEN)
            self.rect(0, 0, self.w, 3, style="F")
        self.set_y(TOP_MM)

    def footer(self) -> None:
        """Write whose page of how many this is; fpdf2 calls this on every page."""
        top = self.bottom_mm + 6
        self.rule(top, LINE)
        with self.artifact():
            self.set_y(top + 2)
            self.draw(self.foot, SMALL, 0, WIDTH_MM - 40)
            self.set_y(top + 2)
            self._set(f"Page {self.page} of {ALL_PAGES}", SMALL, WIDTH_MM - 40, 40, "R")

    def paragraph(
        self,
        kind: Literal["H1", "H2", "P"],
        text: str,
        style: Style,
        x_mm: float = 0,
        width_mm: float = WIDTH_MM,
        align: Align = "L",
    ) -> None:
        """Write a heading or paragraph, tagged, and go below it."""
        self.keep(self.height(text, style, width_mm))
        with self.content(kind, shown(text)):
            self.draw(text, style, x_mm, width_mm, align)

    def keep(self, height_mm: float) -> None:
        """Go on to a new page unless there is room for so much."""
        if not self.has_room(height_mm):
            self.add_page()

    def has_room(self, height_mm: float) -> bool:
        """Whether so much fits on this page."""
        return self.y + height_mm <= self.bottom_mm

    def down(self, mm: float) -> None:
        """Leave room."""
        self.set_y(self.y + mm)

    def rule(self, y_mm: float, color: Color, x_mm: float = 0, width_mm: float = WIDTH_MM) -> None:
        """Draw a thin line."""
        with self.artifact():
            self.set_draw_color(*color)
            self.set_line_width(0.2)
            self.line(MARGIN_MM + x_mm, y_mm, MARGIN_MM + x_mm + width_mm, y_mm)

    def box(self, height_mm: float, color: Color, x_mm: float, width_mm: float) -> None:
        """Fill a box from here down, a little wider than what will stand in it."""
        with self.artifact():
            self.set_fill_color(*color)
            self.rect(MARGIN_MM + x_mm - 3, self.y, width_mm + 6, height_mm, style="F")

    def draw(self, text: str, style: Style, x_mm: float, width_mm: float, align: Align = "L") -> None:
        """Draw a text in as many lines as it needs, and go below it; the caller tags it."""
        self._set(shown(text), style, x_mm, width_mm, align)

    def height(self, text: str, style: Style, width_mm: float) -> float:
        """How much room a text of this width takes."""
        self._use(style)
        lines_mm = self.multi_cell(
            width_mm, style.leading_mm, shown(text), align="L", dry_run=True, output="HEIGHT"
        )
        return cast("float", lines_mm)

    def _set(self, text: str, style: Style, x_mm: float, width_mm: float, align: Align) -> None:
        self._use(style)
        self.set_x(MARGIN_MM + x_mm)
        self.multi_cell(width_mm, style.leading_mm, text, align=align, new_x="LMARGIN", new_y="NEXT")

    def _use(self, style: Style) -> None:
        self.set_font(FAMILY, "B" if style.bold else "", style.size)
        self.set_text_color(*style.color)
