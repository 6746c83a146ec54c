"""A forecast as one page of HTML with everything inside: charts and tables, in light, in dark and on paper."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domain import foresight
from domain.local_time import in_words
from domain.money import exponent, format_minor
from forecast.assumptions import ALWAYS
from forecast.foreseen import Foreseen
from papers.chart import Chart, Series, svg

if TYPE_CHECKING:
    from forecast.report import Report

FOLDER: Final = Path(__file__).parent / "templates"
SHOWN_DAYS: Final = 90
"""So many working days are drawn; the table has all."""

_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(report: Report) -> str:
    """Write the page."""
    plain = report.plain
    seen = [{"name": name, "tables": report.tables(one), "seen": one} for name, one in report.sides]
    return _templates.get_template("forecast.html").render(
        title=f"Forecast to {in_words(plain.until)}",
        made_at=f"{plain.began_at:%Y-%m-%d %H:%M} UTC",
        style=Markup((FOLDER / "forecast.css").read_text(encoding="utf-8")),  # noqa: S704  # a file of ours
        charts=[(one.title, Markup(svg(one, alone=True))) for one in charts(report)],  # noqa: S704  # escaped there
        sides=seen,
        figures=[_figures(one) for _name, one in report.sides],
        differences=report.differences(),
        always=ALWAYS,
        known=list(plain.assumptions),
        what_if=list(report.what_if.assumptions) if report.what_if else [],
        problems=[problem for _name, one in report.sides for problem in one.problems],
    )


def charts(report: Report) -> list[Chart]:
    """Renewals by week, cash and credits by month in each currency, license updates by working day."""
    drawn = [_renewals(report), *_money(report), _load(report)]
    return [chart for chart in drawn if chart.labels]


def _renewals(report: Report) -> Chart:
    counted = [(name, foresight.by_week(one.happenings)) for name, one in report.sides]
    weeks = sorted({week for _name, found in counted for week in found})
    every = _stepped(weeks[0], weeks[-1], 7) if weeks else []
    series = tuple(Series(name, tuple(float(found.get(w, 0)) for w in every)) for name, found in counted)
    return Chart("Renewals by week", tuple(f"{week:%d %b}" for week in every), series)


def _money(report: Report) -> list[Chart]:
    drawn = []
    for name, one in report.sides:
        by_currency: defaultdict[str, dict[str, foresight.Sums]] = defaultdict(dict)
        for (month, currency), sums in foresight.by_month(one.happenings).items():
            by_currency[currency][month] = sums
        for currency, found in sorted(by_currency.items()):
            whole = 10 ** exponent(currency)
            cash = Series("cash", tuple(sums.cash_minor / whole for sums in found.values()))
            used = Series("credits", tuple(sums.credits_minor / whole for sums in found.values()))
            title = f"Cash and credits by month, {currency}" + (f", {name}" if report.what_if else "")
            drawn.append(Chart(title, tuple(found), (cash, used), kind="stacked", shown=_amounts(currency)))
    return drawn


def _amounts(currency: str):  # type: ignore[no-untyped-def]  # a function for the chart
    return lambda value: format_minor(round(value * 10 ** exponent(currency)), currency)


def _load(report: Report) -> Chart:
    counted = [
        (name, {day: len(due) for day, due in foresight.load(one.happenings).items()})
        for name, one in report.sides
    ]
    days = sorted({day for _name, found in counted for day in found})[:SHOWN_DAYS]
    series = tuple(Series(name, tuple(float(found.get(day, 0)) for day in days)) for name, found in counted)
    goal = ("staff can do", float(report.updates_a_day)) if _by_hand(report.plain) else None
    title = "License updates due by working day"
    return Chart(title, tuple(f"{day:%d %b}" for day in days), series, goal=goal)


def _by_hand(seen: Foreseen) -> bool:
    return any(subject.by_hand for subject in seen.subjects.values())


def _stepped(first: date, last: date, days: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(0, (last - first).days + 1, days)]


def _figures(seen: Foreseen) -> list[tuple[str, str]]:
    """What a reader wants to know first."""
    total = foresight.Sums()
    money: defaultdict[str, foresight.Sums] = defaultdict(foresight.Sums)
    for (_month, currency), sums in foresight.by_month(seen.happenings).items():
        total, money[currency] = total.plus(sums), money[currency].plus(sums)
    left: defaultdict[str, int] = defaultdict(int)
    for (_customer, currency), minor in seen.credits_left.items():
        left[currency] += minor
    return [
        ("subscriptions", str(len(seen.subjects))),
        ("renewals", str(total.renewals)),
        ("cash in", _each({currency: sums.cash_minor for currency, sums in money.items()})),
        ("credits used", _each({currency: sums.credits_minor for currency, sums in money.items()})),
        ("credits left", _each(left)),
        ("tax", _each({currency: sums.tax_minor for currency, sums in money.items()})),
        ("lapses", str(total.lapses)),
        ("ended", str(total.ends)),
    ]


def _each(amounts_minor: dict[str, int]) -> str:
    shown = [format_minor(minor, currency) for currency, minor in sorted(amounts_minor.items()) if minor]
    return " · ".join(shown) or "–"
