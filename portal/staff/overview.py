"""Where staff start: what is due, what waits, what was promised and kept, what fails; and the ways to all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from db import differences, figures, outbox, overview, update_queue
from db.update_queue import Month
from papers.chart import Chart, Series, svg
from portal.means import Given, Means, Reading
from portal.pages.rendering import page
from portal.security.visits import Support

WEEKS = 13
MONTHS = 12
SHORT = 220
"""Height of a chart among others."""

FAILURES = {
    "NoCard": "no card",
    "CardDeclined": "card declined",
    "ConfirmationNeeded": "bank asks",
    "PromiseBroken": "promise broken",
    "NotPaidInTime": "not paid",
    "UnknownKey": "unknown key",
    "RevokedKey": "revoked key",
    "OrderNotPossible": "not possible",
    "NotEnoughCredit": "credit short",
}
"""Why something waits or has stopped, short enough for a chart."""

router = APIRouter()


@dataclass(frozen=True)
class Figure:
    """One number, what it counts, and where to see what it counts."""

    number: int
    text: str
    path: str = ""
    tone: str = ""
    """`bad` when somebody should look now."""


@dataclass(frozen=True)
class OverviewPage:
    """The model of `staff/overview.html`; a chart that would be empty is an empty text."""

    figures: tuple[Figure, ...]
    money: tuple[tuple[int, str], ...]
    renewals: Markup
    promises: Markup
    failures: Markup
    warning: str
    """The calendar by which promises are made is about to end."""


@router.get("/staff")
async def front(request: Request, staff: Support, means: Given, reading: Reading) -> Response:
    """All figures at this moment."""
    today = means.today()
    monday = today - timedelta(days=today.weekday())
    waiting = await figures.money_waiting_minor(reading)
    model = OverviewPage(
        figures=await _figures(reading, means),
        money=tuple((minor, currency) for currency, minor in sorted(waiting.items())),
        renewals=_renewals(monday, await overview.renewals_by_week(reading, monday, WEEKS)),
        promises=_promises(await update_queue.promises(reading, means.zone, means.now())),
        failures=_failures(await overview.failures_by_reason(reading)),
        warning=means.working_days.warning(today) or "",
    )
    return page(request, "staff/overview.html", model)


async def _figures(reading: Reading, means: Means) -> tuple[Figure, ...]:
    queues = await figures.update_queue(reading)
    late = sum(queue.late for queue in queues.values())
    _healed, differing = await differences.counts(reading, means.now())
    given_up = (await outbox.failing(reading))["given_up"]
    return (
        Figure(await figures.due(reading, means.today()), "renewals due today"),
        Figure(queues["by_hand"].waiting, "updates to do by hand", "/staff/updates"),
        Figure(late, "updates past their promise", "/staff/updates", "bad" if late else ""),
        Figure(await overview.open_requests(reading), "requests to answer", "/staff/requests"),
        Figure(differing, "differences to look at", "/staff/differences", "bad" if differing else ""),
        Figure(given_up, "letters not delivered", tone="bad" if given_up else ""),
    )


def _renewals(monday: date, counts: list[int]) -> Markup:
    labels = tuple(f"{monday + timedelta(weeks=number):%d %b}" for number in range(len(counts)))
    series = Series("renewals", tuple(counts))
    return _drawn(Chart("Renewals due, by the week's Monday", labels, (series,), height=SHORT))


def _promises(months: list[Month]) -> Markup:
    shown = months[:MONTHS][::-1]
    series = (
        Series("kept", tuple(month.kept for month in shown)),
        Series("broken", tuple(month.broken for month in shown)),
        Series("refused by the vendor", tuple(month.refused for month in shown)),
        Series("still owed", tuple(month.owed for month in shown)),
    )
    labels = tuple(month.month for month in shown)
    return _drawn(Chart("Promises, by the month they fell due", labels, series, kind="stacked", height=SHORT))


def _failures(counts: dict[str, int]) -> Markup:
    labels = tuple(FAILURES.get(code, code) for code in counts)
    series = Series("subscriptions", tuple(counts.values()))
    return _drawn(Chart("Why subscriptions wait or have stopped", labels, (series,), height=SHORT))


def _drawn(chart: Chart) -> Markup:
    """The chart for a page; nothing when there is nothing to draw."""
    return Markup(svg(chart)) if any(chart.tops) else Markup()  # noqa: S704 — made by an XML writer of ours
