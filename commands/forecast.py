"""The whole book, in time to come: what will happen, when, how much, who will fail; and what if it were otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from commands import forecasting, running
from commands.forecasting import Wish
from commands.running import BadInput
from commands.screen import AsJson, console, document, table
from config import Settings
from domain.local_time import local_date
from forecast import shelf
from forecast.assumptions import SEED, Assumptions
from forecast.report import Report
from forecast.snapshot import AT_A_TIME
from forecast.tables import UPDATES_A_DAY, Table

SHOWN = 25
"""So many rows are shown to a person; --out and --json give all."""

LONGEST_YEARS = 10

Until = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day to forecast.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write JSON, CSV and a page into this folder.")]
VendorPrices = Annotated[
    Path | None,
    typer.Option("--vendor-prices", help="What the vendor charges us, a file like the catalogue."),
]
UpdatesADay = Annotated[
    int, typer.Option("--updates-a-day", min=1, help="License updates that staff can do by hand in a day.")
]


def forecast(
    until: Until,
    out: Out = None,
    notice_days: Annotated[
        int | None, typer.Option("--notice-days", min=1, max=90, help="What if the notice were so long?")
    ] = None,
    loyalty_rate: Annotated[
        float | None,
        typer.Option("--loyalty-rate", min=0, max=100, help="What if the loyalty rate were so many percent?"),
    ] = None,
    price_file: Annotated[
        Path | None, typer.Option("--price-file", help="What if this were the catalogue?")
    ] = None,
    decline_rate: Annotated[
        float | None,
        typer.Option("--decline-rate", min=0, max=100, help="What if so many percent of cards declined?"),
    ] = None,
    churn_rate: Annotated[
        float | None,
        typer.Option("--churn-rate", min=0, max=100, help="What if so many percent of customers left?"),
    ] = None,
    holiday: Annotated[
        list[datetime] | None,
        typer.Option("--holiday", formats=["%Y-%m-%d"], help="What if this day were a bank holiday?"),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", help="A CSV of what is known to come: on,subscription,what,value."),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", help="Which cards decline, who leaves: another seed, others.")
    ] = SEED,
    vendor_prices: VendorPrices = None,
    updates_a_day: UpdatesADay = UPDATES_A_DAY,
    at_a_time: Annotated[
        int,
        typer.Option("--at-a-time", min=1, help="So many subscriptions at once: fewer need less memory."),
    ] = AT_A_TIME,
    as_json: AsJson = False,
) -> None:
    """Forecast the whole book to a date: the same workflows, run ahead in time on a copy of it.

    The live book, the vendor, cards and mailboxes are not touched. With a what-if two forecasts stand side by side.

    Example: evergreen forecast --until 2027-12-31 --loyalty-rate 5 --out forecast
    """
    console.quiet = as_json
    what_if = Assumptions(
        notice_days=notice_days,
        loyalty_rate_bp=_basis_points(loyalty_rate),
        price_file=price_file,
        decline_rate_bp=_basis_points(decline_rate),
        churn_rate_bp=_basis_points(churn_rate),
        holidays=frozenset(day.date() for day in holiday or ()),
        seed=seed,
    )

    async def command() -> Report:
        settings = running.settings()
        last, known = check_horizon(until.date(), settings), forecasting.events_of(events)
        wish = Wish(last, what_if, vendor_prices, updates_a_day, known, at_a_time)
        folder = check_folder(out)
        made = await forecasting.of_the_book(settings, wish)
        keep(made, settings, folder)
        return made

    show(running.run(command), as_json)


def check_horizon(until: date, settings: Settings) -> date:
    """The day, if it can be forecast to. Raises BadInput."""
    today = local_date(datetime.now(UTC), settings.zone)
    if not today < until <= today.replace(year=today.year + LONGEST_YEARS, day=min(today.day, 28)):
        raise BadInput(
            f"--until {until}: give a day after {today}, not more than {LONGEST_YEARS} years ahead"
        )
    return until


def check_folder(out: Path | None) -> Path | None:
    """The folder, if a forecast can be written there. Raises BadInput."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"--out {out} is not empty: take another folder")
    return out


def keep(made: Report, settings: Settings, out: Path | None) -> None:
    """Write it into the folder asked for, and onto the shelf where staff find it."""
    if out is not None:
        made.write(out)
    if settings.forecast_folder is not None:
        seen = made.plain
        made.write(shelf.place(settings.forecast_folder, seen.began_at, seen.until))


def show(made: Report, as_json: bool) -> None:
    """Print it."""
    if as_json:
        document(made.document())
        return
    for name, seen in made.sides:
        if made.what_if is not None:
            console.rule(f"[bold]{name}[/]")
        for assumed in seen.assumptions:
            console.print(escape(assumed))
        months, _customers, lapses, risks, cancellable, load, _lines = made.tables(seen)
        console.print(f"[bold]{len(seen.subjects)}[/] subscriptions, to {seen.until}")
        for shown in (months, lapses, risks):
            _print(shown)
        if cancellable.rows:
            first = cancellable.rows[0]["cancel_by"]
            console.print(f"{len(cancellable.rows)} renewals can still be cancelled, the first by {first}.")
        if load.rows:
            busiest = max(load.rows, key=lambda row: int(row["updates"]))
            console.print(
                f"Busiest working day: {busiest['working_day']} with {busiest['updates']} license updates, "
                f"{busiest['by_hand']} of them by hand."
            )
        for problem in seen.problems:
            console.print(f"[red]not foreseen:[/] {escape(problem)}")
    for shown in made.differences():
        _print(shown)


def _print(shown: Table) -> None:
    if not shown.rows:
        return
    rows = list(shown.amounts_shown())
    right = [h for c, h in zip(shown.columns, shown.headings, strict=True) if shown.is_number(c)]
    table(shown.title, shown.headings, rows[:SHOWN], right)
    if len(rows) > SHOWN:
        console.print(f"… and {len(rows) - SHOWN} more; --out and --json give all.")


def _basis_points(percent: float | None) -> int | None:
    """R11: no fractions are kept; a hundredth of a percent is the least."""
    return None if percent is None else round(percent * 100)
