"""What was foreseen is what happens: the year is forecast, then really lived through, and compared line by line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import starter
from commands import forecasting
from commands.forecasting import Wish
from db import happenings
from domain.happening import Kind
from domain.local_time import end_of
from domain.messages import Cancel
from forecast.assumptions import Assumptions
from tests.commands.book import example, row
from tests.forecast.book import only


def soon(days, **cells):
    return row(expires_on=str(datetime.now(UTC).date() + timedelta(days=days)), **cells)


async def test_a_forecast_of_the_example_book_and_the_year_as_it_really_goes_agree_line_by_line(
    live, world, tmp_path
):
    """Whatever state a subscription is in: waiting, cancelled, collecting with and without a card, sharing credits."""
    waits_for_money = soon(11, country="FR")
    declined = soon(10, card_token="pm_card_chargeCustomerFail")
    book = await live.take([*only(example("licenses.csv"), 26), waits_for_money, declined], tmp_path)
    cancelled = next(held for held in reversed(book) if held.subscription.state == "active")
    await starter.cancel(world.client, cancelled.subscription.id, Cancel(by="customer"))
    until = live.today + timedelta(days=365)

    report = await forecasting.of_the_book(world.settings, Wish(until, Assumptions(), None, 25))
    seen = report.plain
    await live.live_through(until)

    async with world.sessions() as session:
        horizon = end_of(until, world.settings.zone)
        happened = await happenings.between(session, seen.began_at, horizon, world.settings.zone)
    assert not seen.problems
    assert {one.kind for one in happened} >= {Kind.RENEWAL, Kind.LAPSE, Kind.END, Kind.PAYMENT_FAILED}
    assert list(seen.happenings) == happened
