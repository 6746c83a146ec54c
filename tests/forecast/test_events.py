"""What is known to come is read from a file, and customers who leave are drawn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.foresight import Subject
from forecast.assumptions import Assumptions
from forecast.doing import departures
from forecast.events import Event, EventsNotUnderstood, What, read
from tests.commands.book import today
from tests.commands.program import CommandLine

DAY = date(2027, 3, 1)


def leaving(subscription: str, cancel_by: date, **facts: object) -> Subject:
    standing = {"state": "active", "auto_renew": True, "by_hand": True, "expires_on": DAY, "renews_on": DAY}
    until = {"cancel_by": cancel_by, "cancel_until": datetime(2027, 3, 2, tzinfo=UTC)}
    return Subject(subscription, "SmarterMail", "1A2B", "ada", "Ada", "GBP", **(standing | until | facts))


def test_events_are_read_in_their_order_with_what_goes_with_them():
    lines = [
        "on,subscription,what,value",
        "2027-03-02,sub_b,addons,Message Sniffer",
        "2027-03-01,sub_a,cancel,",
    ]

    assert read(lines) == (
        Event(date(2027, 3, 2), "sub_b", What.ADDONS, "Message Sniffer"),
        Event(DAY, "sub_a", What.CANCEL),
    )
    assert Event(date(2027, 6, 1), "sub_a", What.CANCEL).at("Europe/London").hour == 11


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("2027-02-30,sub_a,cancel,", "line 2"),
        ("2027-03-01,sub_a,cancle,", "line 2: 'cancle'"),
        ("2027-03-01,sub_a,grant,", "line 2: grant needs a value"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line, wrong):
    with pytest.raises(EventsNotUnderstood, match=wrong):
        read(["on,subscription,what,value", line])
    with pytest.raises(EventsNotUnderstood, match="columns are missing: value"):
        read(["on,subscription,what", line])


def test_who_leaves_cancels_on_the_last_day_or_at_once_and_who_has_cancelled_does_not_again():
    """R7, R8."""
    began_at = datetime(2027, 2, 10, 9, tzinfo=UTC)
    book = [
        leaving("in time", date(2027, 2, 14)),
        leaving("too late", date(2027, 2, 1), state="collecting"),
        leaving("cancelled", date(2027, 2, 14), state="cancelled", auto_renew=False),
        leaving("lapsed", date(2027, 2, 14), state="lapsed"),
    ]

    assert departures(book, began_at) == [
        Event(date(2027, 2, 14), "in time", What.CANCEL),
        Event(date(2027, 2, 10), "too late", What.CANCEL),
    ]


def test_the_same_customers_leave_at_a_rate_and_at_every_higher_one_and_others_than_those_whose_cards_decline():
    people = [f"{number}@example.com" for number in range(1000)]
    few, many = (Assumptions(churn_rate_bp=rate) for rate in (300, 1000))
    leave, more = ({one for one in people if some.leaves(one)} for some in (few, many))

    assert 10 < len(leave) < 60
    assert leave < more
    assert not any(Assumptions().leaves(one) for one in people)
    assert not few.plain
    assert few.in_words() == ["3% of customers leave (seed evergreen)"]


async def test_a_file_of_events_that_cannot_be_read_ends_the_command_before_anything_begins(world, tmp_path):
    """Exit code 2, as for every wrong input."""
    known = tmp_path / "known.csv"
    known.write_text("on,subscription,what,value\n2027-03-01,sub_a,grant,\n", encoding="utf-8")
    evergreen = CommandLine(tmp_path, world.variables)

    answer = await evergreen("forecast", "--until", str(today() + timedelta(days=90)), "--events", str(known))

    assert answer.code == 2
    assert "known.csv: line 2: grant needs a value" in answer.said
