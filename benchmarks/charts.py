"""A chart for each part: its figures as multiples of their floors, beside the floor itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure
from papers.chart import Chart, Series, svg

FOLDER = Path(__file__).parent.parent / "docs" / "charts"


def drawn(figures: Sequence[Figure]) -> list[str]:
    """Write the charts into the folder of the page; the page's lines that show them."""
    FOLDER.mkdir(exist_ok=True)
    lines = []
    for part in dict.fromkeys(figure.part for figure in figures):
        shown = [
            (figure.label, figure.ratio)
            for figure in figures
            if figure.part == part and figure.label and figure.ratio
        ]
        if not shown:
            continue
        name = f"{part.replace(' ', '-')}.svg"
        chart = Chart(
            title=f"{part}: multiples of the floor",
            labels=tuple(label for label, _ in shown),
            series=(Series("ours, as a multiple of the floor", tuple(ratio for _, ratio in shown)),),
            shown=lambda value: f"{value:.2f}",
            goal=("the floor", 1.0),
            height=220,
        )
        (FOLDER / name).write_text(svg(chart, alone=True) + "\n", encoding="utf-8")
        lines.append(f"![{chart.title}](charts/{name})")
    return lines
