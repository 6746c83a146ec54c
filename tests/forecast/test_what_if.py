"""Each what-if changes what it should, and nothing else: golden files say what that is."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from config import SHIPPED_CATALOGUE
from domain import foresight
from domain.money import plain
from domain.working_days import WorkingDays
from forecast.assumptions import Assumptions
from forecast.foreseen import Foreseen
from forecast.report import Report
from tests.commands.book import row, today

GOLDEN = Path(__file__).parent / "golden"

EXPIRES_AFTER = {"ada": 100, "ben": 130, "cleo": 160, "dora": 22}
"""Days to the expiry of each license; the last is within a notice of 30 days, not within one of 15."""


def small_book(today: date) -> list[dict[str, str]]:
    """Four licenses: a card, credit, both, and one whose notice is about to begin."""
    cells = {
        "ada": {"card_token": "pm_card_visa"},
        "ben": {"opening_credit": "500.00", "country": "FR", "currency": "EUR"},
        "cleo": {"card_token": "pm_card_visa", "opening_credit": "100.00", "addons": "Message Sniffer"},
        "dora": {"card_token": "pm_card_visa", "product": "SmarterTrack", "size": "5"},
    }
    return [
        row(
            customer_email=f"{name}@golden.example",
            customer_name=name,
            expires_on=str(today + timedelta(days=days)),
            **cells[name],
        )
        for name, days in EXPIRES_AFTER.items()
    ]


def told(seen: Foreseen, calendar: WorkingDays) -> dict[str, str]:
    """What there is to say of a forecast, in words that do not depend on today: days are counted from the expiry."""
    lines = {}
    for one in seen.subjects.values():
        days = (one.expires_on - one.cancel_by).days, (one.expires_on - one.renews_on).days
        still = "can be cancelled" if one.cancel_until > seen.began_at else "is fixed"
        lines[f"{one.customer} plan"] = f"cancel by E-{days[0]}, renews E-{days[1]}, {still}"
    for number, one in enumerate(seen.happenings):
        subject = seen.of(one.subscription_id)
        about = [f"E{(one.on - subject.expires_on).days:+d}"]
        about += [
            f"{name} {plain(amount, one.currency)}"
            for name, amount in (
                ("net", one.net_minor),
                ("tax", one.tax_minor),
                ("credits", one.credits_minor),
                ("card", one.card_minor),
                ("short", one.short_minor),
            )
            if amount
        ]
        if one.promise_on is not None:
            about.append(f"promised for working day {_working_days(calendar, one.on, one.promise_on)} after")
        same = sum(
            other.kind is one.kind and other.subscription_id == one.subscription_id
            for other in seen.happenings[:number]
        )
        name = f"{subject.customer} {one.kind.value}{f' {same + 1}' if same else ''}"
        lines[name] = ", ".join(about + ([one.reason] if one.reason else []))
    for (customer_id, currency), minor in seen.credits_left.items():
        customer = next(one.customer for one in seen.subjects.values() if one.customer_id == customer_id)
        lines[f"{customer} credits left"] = f"{plain(minor, currency)} {currency}"
    return lines


def _working_days(calendar: WorkingDays, day: date, until: date) -> int:
    """How many working days, as the calendar really is, begin after the day and not after the other."""
    number = 0
    while day < until:
        day, number = calendar.next_working_day(day), number + 1
    return number


def differing(before: Foreseen, after: Foreseen, calendar: WorkingDays) -> Iterator[str]:
    """The lines that are not the same, each as it was and as it is."""
    old, new = told(before, calendar), told(after, calendar)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{name}:"
            yield from (f"  {sign} {said[name]}" for sign, said in (("-", old), ("+", new)) if name in said)


def prices(folder: Path) -> Path:
    """A price list in which SmarterTrack costs a pound more than it does, and nothing else is different."""
    text = SHIPPED_CATALOGUE.read_text(encoding="utf-8")
    start = text.index("[products.SmarterTrack.editions.Professional]")
    line = next(line for line in text[start:].splitlines() if line.startswith("GBP"))
    dearer = line.replace(".00", ".99")
    path = folder / "dearer.toml"
    path.write_text(text[:start] + text[start:].replace(line, dearer, 1), encoding="utf-8")
    return path


async def test_a_what_if_differs_from_the_plain_forecast_exactly_where_it_should(bench, tmp_path):
    """One book, read from one file; golden files are small enough to be read."""
    settings, until = bench.world.settings, today() + timedelta(days=200)
    bench = replace(bench, folder=tmp_path, rows=small_book(today()))

    before = await bench.foresees("plain", Assumptions(), until)
    promise = next(
        one.promise_on for one in before.happenings if before.of(one.subscription_id).customer == "ada"
    )
    what_ifs = {
        "notice-days": Assumptions(notice_days=30),
        "loyalty-rate": Assumptions(loyalty_rate_bp=500),
        "price-file": Assumptions(price_file=prices(tmp_path)),
        "decline-rate": Assumptions(decline_rate_bp=5000, seed="golden-1"),
        "churn-rate": Assumptions(churn_rate_bp=4000, seed="golden-1"),
        "holiday": Assumptions(holidays=frozenset({promise})),
    }
    after = {name: await bench.foresees(name, assumed, until) for name, assumed in what_ifs.items()}

    different: list[str] = []
    for name, seen in after.items():
        assert not seen.problems
        found = "\n".join(differing(before, seen, settings.working_days())) + "\n"
        golden = GOLDEN / f"{name}.txt"
        (tmp_path / golden.name).write_text(found, encoding="utf-8")
        different += [name] if found != golden.read_text(encoding="utf-8") else []
    assert not different, f"what differs now is in {tmp_path}"
    cost = foresight.vendor_cost(settings.price_list())
    _check_report(Report(before, after["loyalty-rate"], cost), tmp_path / "loyalty")
    _check_every_form(Report(before, after["churn-rate"], cost), tmp_path / "churn")


def _check_report(report: Report, folder: Path) -> None:
    """Month by month and customer by customer; half the loyalty rate makes ada's £200.00 £10.00 dearer."""
    document = report.document()
    ada = [one for one in document["differences_customers"] if one["whose"] == "ada"]
    assert [(one["figure"], one["change_minor"]) for one in ada] == [
        ("net", 1000),
        ("tax", 200),
        ("cash", 1200),
    ]
    renewed = {f"{one.on:%Y-%m}" for one in report.plain.happenings}
    assert {one["whose"] for one in document["differences_months"]} == renewed
    assert sum(month["vendor_minor"] for month in document["plain"]["months"]) > 0
    assert document["what_if"]["assumptions"] == ["loyalty rate of 5%"]
    _check_every_form(report, folder)


def _check_every_form(report: Report, folder: Path) -> None:
    """The same differences stand in the terminal's tables, in CSV files and on the page, cell by cell."""
    report.write(folder)
    page = (folder / "forecast.html").read_text(encoding="utf-8")
    for shown in report.differences():
        assert shown.rows or shown.name == "differences-dates"
        with (folder / f"{shown.name}.csv").open(encoding="utf-8", newline="") as opened:
            heading, *lines = csv.reader(opened)
        assert heading == list(shown.columns)
        assert lines == [[str(cell) for cell in row] for row in shown.amounts_plain()]
        assert shown.title in page
        for cells in shown.amounts_shown():
            assert "".join(f"<td>{cell}</td>" for cell in cells[:3]) in page


@pytest.mark.parametrize(
    "name", ["notice-days", "loyalty-rate", "price-file", "decline-rate", "churn-rate", "holiday"]
)
def test_a_golden_file_can_be_read_at_a_glance(name):
    assert len((GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()) <= 20
