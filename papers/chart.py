"""A chart as SVG text: bars or lines, that can be read aloud, in light and in dark, without a script.

What it says is in its classes, and `static/chart.css` says how they look: whoever puts a chart into a page serves that
style sheet too; a file of its own has it inside (`svg(chart, alone=True)`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from papers.chart_scale import Scale

STYLESHEET: Final = Path(__file__).parent / "static" / "chart.css"

WIDTH: Final = 720
TOP: Final = 16
LETTER: Final = 7.0
"""How wide a letter is, about; the size of the lettering is in the style sheet."""
LINE: Final = 20
WIDEST: Final = 72
"""Of a label's bars together: where there are few labels, bars are not walls."""
SAID_ALOUD: Final = 60
"""So many values are told one by one; of more, the first, the least, the greatest and the last."""

Kind = Literal["bars", "stacked", "lines"]


def plainly(value: float) -> str:
    """A number as a person writes it: `12,000`, `0.85`."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3g}"


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind, one for each label of the chart; None where there is none."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows. `shown` writes a value in its unit; `goal` is a level to be compared with, and its name."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    kind: Kind = "bars"
    shown: Callable[[float], str] = plainly
    goal: tuple[str, float] | None = None
    height: int = 300

    @property
    def tops(self) -> list[float]:
        """The values that the scale must reach: of stacked bars their sums."""
        if self.kind == "stacked":
            return [
                sum(value or 0.0 for value in column)
                for column in zip(*(series.values for series in self.series), strict=True)
            ]
        return [value for series in self.series for value in series.values if value is not None]


def svg(chart: Chart, alone: bool = False) -> str:
    """The chart as an `<svg>` element; `alone` for a file of its own, with the style sheet inside.

    Raises ValueError when a series has not one value for each label.
    """
    if any(len(series.values) != len(chart.labels) for series in chart.series):
        raise ValueError(f"the chart {chart.title!r} needs a value or None for each of its labels")
    return tostring(_Drawing(chart).drawn(alone), encoding="unicode")


class _Drawing:
    """One chart on its way into SVG; `x` and `y` are in units of the view box."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.scale = Scale.over([*chart.tops, *([chart.goal[1]] if chart.goal else [])])
        longest = max(len(chart.shown(tick)) for tick in self.scale.ticks)
        self.left = 10 + LETTER * longest
        self.top = TOP + (LINE if len(chart.series) > 1 or chart.goal else 0)
        self.bottom = chart.height - LINE - 8
        self.step = (WIDTH - self.left - 8) / max(1, len(chart.labels))

    def drawn(self, alone: bool) -> Element:
        chart = self.chart
        name = f"chart-{sha256(chart.title.encode()).hexdigest()[:8]}"
        root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": f"chart {chart.kind}",
                "viewBox": f"0 0 {WIDTH} {chart.height}",
                "role": "img",
                "aria-labelledby": f"{name} {name}-says",
            },
        )
        SubElement(root, "title", {"id": name}).text = chart.title
        SubElement(root, "desc", {"id": f"{name}-says"}).text = said(chart)
        if alone:
            SubElement(root, "style").text = STYLESHEET.read_text(encoding="utf-8")
            SubElement(root, "rect", {"class": "ground", "width": "100%", "height": "100%"})
        self._axes(root)
        self._legend(root)
        for number, series in enumerate(chart.series):
            (self._line if chart.kind == "lines" else self._bars)(root, number, series)
        if chart.goal is not None:
            self._rule(root, self.y(chart.goal[1]), "goal")
        return root

    def x(self, ordinal: int) -> float:
        """The middle of a label's place."""
        return self.left + self.step * (ordinal + 0.5)

    def y(self, value: float) -> float:
        return self.bottom - self.scale.share(value) * (self.bottom - self.top)

    def _axes(self, root: Element) -> None:
        for tick in self.scale.ticks:
            self._rule(root, self.y(tick), "zero" if tick == 0 else "grid")
            _text(root, self.left - 6, self.y(tick) + 4, self.chart.shown(tick), "tick")
        longest = max((len(label) for label in self.chart.labels), default=1)
        every = max(1, -int(-(longest + 1) * LETTER // self.step))
        for ordinal, label in enumerate(self.chart.labels):
            if ordinal % every == 0:
                _text(root, self.x(ordinal), self.chart.height - 8, label, "label")

    def _legend(self, root: Element) -> None:
        x = self.left
        named = [(f"s{number}", series.name) for number, series in enumerate(self.chart.series)]
        if self.chart.goal is not None:
            named.append(("goal", f"{self.chart.goal[0]} {self.chart.shown(self.chart.goal[1])}"))
        for mark, name in named if len(named) > 1 else []:
            SubElement(root, "path", {"class": f"key {mark}", "d": f"M{_n(x)} {TOP}h18"})
            _text(root, x + 24, TOP + 4, name, "name")
            x += 24 + LETTER * (len(name) + 3)

    def _bars(self, root: Element, number: int, series: Series) -> None:
        stacked = self.chart.kind == "stacked"
        many = 1 if stacked else len(self.chart.series)
        width = min(self.step * 0.72, WIDEST) / many
        for ordinal, value in enumerate(series.values):
            if value is None:
                continue
            below = (
                sum(lower.values[ordinal] or 0.0 for lower in self.chart.series[:number]) if stacked else 0.0
            )
            ends = self.y(below), self.y(below + value)
            x = self.x(ordinal) - width * many / 2 + (0 if stacked else number * width)
            box = {"x": x, "y": min(ends), "width": max(1.0, width - 1), "height": abs(ends[0] - ends[1])}
            bar = SubElement(root, "rect", {"class": f"bar s{number}", **{k: _n(v) for k, v in box.items()}})
            SubElement(bar, "title").text = self._told(series, ordinal, value)

    def _line(self, root: Element, number: int, series: Series) -> None:
        path, pen = "", "M"
        for ordinal, value in enumerate(series.values):
            if value is None:
                pen = "M"  # a gap is a gap
                continue
            path, pen = f"{path}{pen}{_n(self.x(ordinal))} {_n(self.y(value))}", "L"
        SubElement(root, "path", {"class": f"line s{number}", "d": path})
        for ordinal, value in enumerate(series.values):
            if value is not None:
                spot = {"cx": _n(self.x(ordinal)), "cy": _n(self.y(value)), "r": "3.5"}
                point = SubElement(root, "circle", {"class": f"point s{number}", **spot})
                SubElement(point, "title").text = self._told(series, ordinal, value)

    def _rule(self, root: Element, y: float, kind: str) -> None:
        SubElement(root, "path", {"class": kind, "d": f"M{_n(self.left)} {_n(y)}H{WIDTH - 8}"})

    def _told(self, series: Series, ordinal: int, value: float) -> str:
        return f"{self.chart.labels[ordinal]}, {series.name}: {self.chart.shown(value)}"


def said(chart: Chart) -> str:
    """The chart in words: its values, or their course when there are many."""
    few = sum(len(series.values) for series in chart.series) <= SAID_ALOUD
    parts = [
        f"{series.name}: {_each(chart, series) if few else _course(chart, series)}."
        for series in chart.series
    ]
    if chart.goal is not None:
        parts.append(f"{chart.goal[0]}: {chart.shown(chart.goal[1])}.")
    return " ".join(parts)


def _each(chart: Chart, series: Series) -> str:
    pairs = zip(chart.labels, series.values, strict=True)
    return ", ".join(f"{label} {chart.shown(value)}" for label, value in pairs if value is not None) or "none"


def _course(chart: Chart, series: Series) -> str:
    known = [(v, label) for v, label in zip(series.values, chart.labels, strict=True) if v is not None]
    if not known:
        return "none"
    named: Sequence[tuple[str, tuple[float, str]]] = (
        ("first", known[0]),
        ("least", min(known, key=lambda one: one[0])),
        ("greatest", max(known, key=lambda one: one[0])),
        ("last", known[-1]),
    )
    return ", ".join(f"{word} {chart.shown(value)} ({label})" for word, (value, label) in named)


def _text(root: Element, x: float, y: float, text: str, kind: str) -> None:
    SubElement(root, "text", {"class": kind, "x": _n(x), "y": _n(y)}).text = text


def _n(value: float) -> str:
    """A tenth of a unit is finer than anybody sees."""
    return f"{value:.1f}".removesuffix(".0")
