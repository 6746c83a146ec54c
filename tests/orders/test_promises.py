"""The promise time of a payment: the end of the next working day (R5), in the table and through the workflow (R23)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.working_days import WorkingDays
from tests.orders.days import (
    DAY,
    TUESDAY,
    christmas_eve_on_a_thursday,
    coming,
    coming_weekday,
    local,
    saturday_before_a_bank_holiday,
    thursday_before_easter,
)
from tests.orders.price_list import SNIFFER
from tests.orders.shop import Shop

LONDON = ZoneInfo("Europe/London")

PAID_AND_PROMISED = {
    "an ordinary Monday": ("2027-02-08 10:00", "2027-02-09 17:30"),
    "a Friday": ("2027-02-12 10:00", "2027-02-15 17:30"),
    "the Thursday before Easter, at 23:59": ("2027-03-25 23:59", "2027-03-30 17:30"),
    "Good Friday, a minute later": ("2027-03-26 00:00", "2027-03-30 17:30"),
    "24 December, a Thursday": ("2026-12-24 10:00", "2026-12-29 17:30"),
    "24 December, at 23:59": ("2026-12-24 23:59", "2026-12-29 17:30"),
    "24 December, a Friday": ("2027-12-24 12:00", "2027-12-29 17:30"),
    "31 December, a Thursday": ("2026-12-31 23:59", "2027-01-04 17:30"),
    "the Saturday of a bank-holiday weekend": ("2027-08-28 12:00", "2027-08-31 17:30"),
    "the Sunday of a bank-holiday weekend": ("2027-05-02 12:00", "2027-05-04 17:30"),
    "an ordinary Saturday": ("2027-02-13 12:00", "2027-02-15 17:30"),
    "just before midnight in winter": ("2027-02-09 23:58", "2027-02-10 17:30"),
    "just after midnight in winter": ("2027-02-10 00:02", "2027-02-11 17:30"),
    "just before midnight in summer": ("2027-06-08 23:58", "2027-06-09 17:30"),
    "just after midnight in summer": ("2027-06-09 00:02", "2027-06-10 17:30"),
    "the night the clocks go forward": ("2027-03-28 00:30", "2027-03-30 17:30"),
    "the night the clocks go back": ("2027-10-31 01:30", "2027-11-01 17:30"),
}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(("paid", "promised"), PAID_AND_PROMISED.values(), ids=PAID_AND_PROMISED)
def test_the_promise_is_the_end_of_the_next_working_day(paid: str, promised: str):
    """R5: strictly after the local day of payment, half past five by the clock on the wall."""
    assert WorkingDays().promise_time(instant(paid)) == instant(promised)


def test_summer_time_moves_the_promise_an_hour_in_utc():
    """R5: the same wall clock, before and after the last Sunday in March."""
    days = WorkingDays()
    winter, summer = (
        days.promise_time(instant("2027-03-24 12:00")),
        days.promise_time(instant("2027-03-30 12:00")),
    )
    assert (winter.hour, summer.hour) == (17, 16)


WINTER, SUMMER = coming_weekday(2, TUESDAY), coming_weekday(6, TUESDAY)
THROUGH = {
    "the Thursday before Easter, at 23:59": (
        local(thursday_before_easter(), "23:59"),
        local(thursday_before_easter() + 5 * DAY, "17:30"),
    ),
    "24 December": (
        local(christmas_eve_on_a_thursday(), "12:00"),
        local(christmas_eve_on_a_thursday() + 5 * DAY, "17:30"),
    ),
    "the Saturday of a bank-holiday weekend": (
        local(saturday_before_a_bank_holiday(), "12:00"),
        local(saturday_before_a_bank_holiday() + 3 * DAY, "17:30"),
    ),
    "just before midnight in winter": (local(WINTER, "23:58"), local(WINTER + DAY, "17:30")),
    "just after midnight in winter": (local(WINTER + DAY, "00:01"), local(WINTER + 2 * DAY, "17:30")),
    "just before midnight in summer": (local(SUMMER, "23:58"), local(SUMMER + DAY, "17:30")),
    "just after midnight in summer": (local(SUMMER + DAY, "00:01"), local(SUMMER + 2 * DAY, "17:30")),
}


@pytest.mark.parametrize(("paid_at", "promise_at"), THROUGH.values(), ids=THROUGH)
async def test_row_search_attribute_status_and_receipt_name_the_same_promise(
    shop: Shop, paid_at: datetime, promise_at: datetime
):
    """R5, R23: what the quote promises is what order, update, subscription, operators and customer are told."""
    customer = await shop.customer(expires_on=coming(10, 15, after=paid_at.date()))
    await customer.at(paid_at)
    await customer.vendor_trouble("down")
    quote = await customer.quote(SNIFFER)

    answer = await customer.buy(SNIFFER, quote=quote)

    assert answer.paid is not None
    assert timedelta() <= answer.paid.paid_at - paid_at < timedelta(seconds=50)
    [order], [update] = await customer.orders(), await customer.updates()
    [receipt] = await customer.notices("receipt")
    status, row = await customer.status(), (await customer.row()).subscription
    told = {
        "quote": quote.promise_at,
        "answer": answer.paid.promise_at,
        "order": order.promise_at,
        "update": update.promise_at,
        "subscription": row.promise_at,
        "status": status.promise_at,
        "search attribute": (await customer.attributes())["PromiseAt"],
        "receipt": datetime.fromisoformat(receipt.facts["promise_at"]),
    }
    assert told == dict.fromkeys(told, promise_at)
    assert status.promise_broken is False
