"""Licenses of one customer share credits: whoever's money is due first has them, whatever the order of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db import subscriptions
from domain.messages import subscription_workflow_id
from forecast.turns import Act, Turns
from tests.commands.book import row, today

COLLECTED, OVER = timedelta(days=95), timedelta(days=150)
"""When money is waited for of the later license, and when all is over."""


def shop(name: str) -> list[dict[str, str]]:
    """Two licenses, credit for the earlier one, and a card that declines."""
    theirs = {
        "customer_email": f"{name}@shop.example",
        "customer_name": name,
        "card_token": "pm_card_chargeDeclined",
        "edition": "Enterprise",
    }
    return [
        row(expires_on=str(today() + timedelta(days=100)), size="1000", opening_credit="430.00", **theirs),
        row(expires_on=str(today() + timedelta(days=60)), size="250", **theirs),
    ]


async def test_the_license_that_is_due_first_has_the_credits_in_whichever_order_the_clocks_are_moved(
    live, world, tmp_path
):
    """R22: the later one would hold them, short of its price, until it lapses; the earlier one would lapse before."""
    book = await live.take([*shop("ada"), *shop("cleo")], tmp_path)
    earlier, later = ([held for held in book if held.license.size == size] for size in ("250", "1000"))
    began_at = datetime.now(UTC)
    done: list[datetime] = []

    async def act() -> None:
        done.append(world.clocks.now(subscription_workflow_id(later[0].subscription.id)))

    turns = Turns(world.client, world.clocks)
    acts = [Act(began_at + timedelta(days=70), act)]
    for first, second in ((earlier, later), (later, earlier)):
        number = 0 if first is earlier else 1
        ids = [first[number].subscription.id, second[number].subscription.id]
        assert len(await turns.pass_by(ids, began_at + COLLECTED, acts if number == 0 else ())) == 2
        assert await turns.pass_by(ids, began_at + OVER) == [earlier[number].subscription.id]

    async with world.sessions() as session:
        after = {held.subscription.id: held.subscription for held in await subscriptions.listing(session)}
    assert [after[held.subscription.id].state for held in earlier] == ["active", "active"]
    assert [after[held.subscription.id].state for held in later] == ["lapsed", "lapsed"]
    assert abs(done[0] - acts[0].at) < timedelta(minutes=1)
