"""The real workflow does what the rules say, whatever is said to it and whenever (R2, R3, R7–R10, R22)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from chaos.checker import dates
from chaos.clock import Clock
from tests.chaos.model.cases import cases
from tests.chaos.model.play import Player
from tests.chaos.model.rules import PRICE_MINOR, Answer, Life, Said
from tests.end_to_end.book import Book
from tests.end_to_end.world import OwnWorker
from tests.money.world import World

SEED, CASES = 11, 30
EXPIRES_ON = date(2027, 8, 31)
CUT_OFF = dates.cut_off(EXPIRES_ON)
LONG_AFTER = dates.local(EXPIRES_ON + timedelta(days=40))


async def test_random_messages_at_random_instants_come_out_as_the_rules_say(world: World, worker: OwnWorker):
    """`python -m tests.chaos.model` plays thousands of other seeds, and finds the smallest that differs."""
    book = Book(world)
    player = Player(world, book, Clock(world.client))
    today = datetime.now(UTC).date()
    try:
        wrong = [one.case for one in await player.all(cases(SEED, CASES, today)) if one.differences()]
        shrunk = [await player.shrunk(case) for case in wrong]
    finally:
        await book.close()

    assert not [found for found in shrunk if found[1]], "\n".join(f"{case} {said}" for case, said in shrunk)


def test_the_model_honors_the_last_moment_and_no_later_one():
    """R2: also in summer, when local midnight is 23:00 UTC."""
    assert datetime(2027, 8, 16, 23, 0, tzinfo=UTC) == CUT_OFF
    last = Life(EXPIRES_ON, PRICE_MINOR).live(
        [Said("cancel", CUT_OFF - timedelta(milliseconds=1))], LONG_AFTER
    )
    late = Life(EXPIRES_ON, PRICE_MINOR).live([Said("cancel", CUT_OFF)], LONG_AFTER)

    assert (last.answers[0].outcome, last.state, last.left_minor) == ("accepted", "expired", PRICE_MINOR)
    assert (late.answers[0].outcome, late.state, late.left_minor) == ("deferred", "cancelled", 0)


def test_the_model_collects_on_the_days_of_the_rule_and_a_month_beyond():
    """R22: credit that nobody tells of is found at the next attempt; what is told is used at once."""
    day_before = dates.local(EXPIRES_ON - timedelta(days=1))
    untold = Life(EXPIRES_ON, 0).live([Said("money", day_before, told=False)], LONG_AFTER)
    beyond = Life(EXPIRES_ON, 0).live(
        [Said("money", dates.local(EXPIRES_ON + timedelta(days=20)))], LONG_AFTER
    )
    never = Life(EXPIRES_ON, 0).live([], LONG_AFTER)

    assert untold.paid_at == datetime(2027, 8, 31, 8, 0, tzinfo=UTC)
    assert beyond.paid_at == dates.local(EXPIRES_ON + timedelta(days=20))
    assert (never.paid_at, never.state) == (None, "over")


def test_the_model_answers_a_repeat_the_same():
    """R10: the same request id; and a second cancellation changes nothing."""
    in_time = CUT_OFF - timedelta(days=3)
    said = [Said("cancel", in_time, "a"), Said("cancel", CUT_OFF, "a"), Said("cancel", CUT_OFF, "b")]

    answers = Life(EXPIRES_ON, PRICE_MINOR).live(said, LONG_AFTER).answers

    day = date(2027, 8, 16)
    assert answers == [Answer("accepted", day, EXPIRES_ON)] * 2 + [Answer("no_change", day, EXPIRES_ON)]
