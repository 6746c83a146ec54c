"""The restore drill of docs/operations.md: one of the two servers is lost; nothing is missed, nothing charged twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from domain.messages import Cancel, State
from starter import cancel
from tests.deployment.losses import dumped, restored, started_again, temporal_lost
from tests.end_to_end.world import OwnWorker
from tests.money.book import RENEWAL_MINOR, Book, Subscribed
from tests.money.world import World


@dataclass
class Desk:
    """Subscriptions in every state in which money or a promise is on its way."""

    asleep: Subscribed
    charged: Subscribed
    waiting: Subscribed
    cancelled: Subscribed

    @property
    def all(self) -> list[Subscribed]:
        return [self.asleep, self.charged, self.waiting, self.cancelled]


async def desk(book: Book) -> Desk:
    """One sleeps on credits, one is charged while the vendor is down, one waits for a card, one is cancelled."""
    made = Desk(*[await book.subscription() for _ in range(4)])
    await made.asleep.customer.grant(300_00)
    await made.charged.customer.save_card()
    book.world.vendor.fault("down", made.charged.license_key)
    await made.charged.days_before_expiry(13)
    await made.charged.until(State.UPDATING)
    await made.waiting.customer.save_card(answers="insufficient_funds")
    await made.waiting.days_before_expiry(13)
    await made.waiting.until(State.COLLECTING)
    await cancel(book.world.client, made.cancelled.id, Cancel(by="customer"))
    return made


async def goes_on_as_if_nothing_had_been(made: Desk, world: World) -> None:
    """Each gets what it was promised, once."""
    world.vendor.control("DELETE", "/sandbox/faults")
    for license in (made.asleep, made.charged, made.waiting):
        await license.days_before_expiry(13)
    await made.charged.days_before_expiry(12)  # the vendor was away for long: the next try is minutes off
    await made.charged.until_renewed()
    await made.asleep.until_renewed()
    await made.waiting.until(State.COLLECTING)
    await made.waiting.customer.new_card()
    await made.waiting.until_renewed()
    await made.cancelled.at(made.cancelled.plan.term_ends_at + timedelta(seconds=1))
    assert (await made.cancelled.ending()).state == State.EXPIRED

    for license in (made.asleep, made.charged, made.waiting):
        assert license.renewals() == license.one_renewal
        assert len(await license.customer.papers()) == 1
        assert len(await license.notices("receipt")) == 1
    assert await made.charged.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert await made.waiting.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert await made.asleep.customer.credits() == [("promotional", 300_00 - RENEWAL_MINOR)]
    assert made.cancelled.renewals() == []
    assert await made.cancelled.customer.papers() == []


async def test_postgresql_is_lost_and_restored_from_its_dump(
    book: Book, world: World, worker: OwnWorker, tmp_path: Path
):
    """R25: the workflows kept their place; the rows are as they were when the dump was made."""
    made = await desk(book)
    await worker.stop()
    file = tmp_path / "evergreen.dump"
    await dumped(world, file)
    await restored(world, file)
    await worker.start()

    assert await started_again(world, made.all) == [False] * 4
    await goes_on_as_if_nothing_had_been(made, world)


async def test_temporal_is_lost_whole_and_the_subscriptions_are_started_again_from_their_rows(
    book: Book, world: World, worker: OwnWorker
):
    """R25: what was done is found in the tables under its key, and not done again."""
    made = await desk(book)
    await worker.stop()
    await temporal_lost(world)
    await worker.start()

    assert await started_again(world, made.all) == [True] * 4
    await goes_on_as_if_nothing_had_been(made, world)
