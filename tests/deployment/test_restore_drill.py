"""The restore drill of docs/operations.md: one of the two servers is lost; nothing is missed, nothing charged twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from temporalio.client import WorkflowExecutionStatus

from db.models.difference import DifferenceRecord
from domain.differences import Kind
from domain.messages import Cancel, State
from starter import cancel, reconcile
from tests.deployment.losses import dumped, restored, temporal_lost
from tests.end_to_end.world import OwnWorker
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.subscribed import RENEWAL_MINOR, Subscribed
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
    await made.charged.days_before_expiry(14)
    await made.charged.until(State.UPDATING)
    await made.waiting.customer.save_card(answers="insufficient_funds")
    await made.waiting.days_before_expiry(13)
    await made.waiting.until(State.COLLECTING)
    await cancel(book.world.client, made.cancelled.id, Cancel(by="customer"))
    return made


async def reported(world: World, *licenses: Subscribed) -> set[tuple[str, str]]:
    """Kind and subject of what is open about them; the provider also has the charges of tests before."""
    about = {name for license in licenses for name in (license.id, license.workflow_id)}
    about |= {charge["id"] for license in licenses for charge in await license.customer.charges()}
    opened = (
        DifferenceRecord.healed_at.is_(None),
        DifferenceRecord.gone_at.is_(None),
        DifferenceRecord.subject.in_(about),
    )
    async with world.sessions() as session:
        rows = await session.scalars(select(DifferenceRecord).where(*opened))
        return {(row.kind, row.subject) for row in rows}


async def eventually_started(world: World, license: Subscribed) -> None:
    """Reconcile until its workflow runs: visibility may still show the one that was terminated."""

    async def runs() -> bool:
        await reconcile(world.client)
        described = await license.handle.describe()
        return described.status == WorkflowExecutionStatus.RUNNING

    await eventually(runs, f"{license.id} runs")


async def goes_on_as_if_nothing_had_been(made: Desk, world: World) -> None:
    """Each gets what it was promised, once."""
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
    world.vendor.control("DELETE", "/sandbox/faults")

    result = await reconcile(world.client)
    assert (result.healed, result.unchecked) == (0, ())
    assert await reported(world, *made.all) == set()
    await goes_on_as_if_nothing_had_been(made, world)


async def test_temporal_is_lost_whole_and_reconciliation_starts_the_subscriptions_again_from_their_rows(
    book: Book, world: World, worker: OwnWorker
):
    """R25: what was done is found in the tables under its key, and not done again."""
    made = await desk(book)
    await worker.stop()
    await temporal_lost(world)
    await worker.start()
    world.vendor.control("DELETE", "/sandbox/faults")

    result = await reconcile(world.client)
    assert (result.healed, result.unchecked) == (len(made.all), ())
    assert await reported(world, *made.all) == set()
    await goes_on_as_if_nothing_had_been(made, world)
    assert (await reconcile(world.client)).healed == 0
    assert await reported(world, *made.all) == set()


async def test_postgresql_is_restored_to_an_earlier_time_and_all_that_it_lacks_is_reported(
    book: Book, world: World, worker: OwnWorker, tmp_path: Path
):
    """R25: a renewal, an end and a beginning have happened since; nothing is done again, nothing started."""
    renewed, cancelled = [await book.subscription() for _ in range(2)]
    await renewed.customer.save_card()
    file = tmp_path / "evergreen.dump"
    await dumped(world, file)
    await renewed.days_before_expiry(10)
    await renewed.until_renewed()
    await cancel(world.client, cancelled.id, Cancel(by="customer"))
    await cancelled.at(cancelled.plan.term_ends_at + timedelta(seconds=1))
    await cancelled.ending()
    newcomer = await book.subscription()
    await worker.stop()
    await restored(world, file)
    await worker.start()

    result = await reconcile(world.client)
    [charge] = await renewed.customer.charges()
    assert (result.healed, result.unchecked) == (0, ())
    assert await reported(world, renewed, cancelled, newcomer) == {
        (Kind.CHARGE_UNKNOWN_HERE, charge["id"]),
        (Kind.LICENSE_DIFFERS, renewed.id),
        (Kind.WORKFLOW_AHEAD, renewed.workflow_id),
        (Kind.WORKFLOW_MISSING, cancelled.id),
        (Kind.WORKFLOW_STRAY, newcomer.workflow_id),
    }
    assert await renewed.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert (await cancelled.ending()).state == State.EXPIRED

    # as docs/operations.md has it: what was charged becomes credit, and the subscription starts again from its row
    await renewed.customer.grant(RENEWAL_MINOR, kind="purchase")
    await renewed.handle.terminate("its rows are older")
    world.clocks.begins_anew(renewed.workflow_id)
    await eventually_started(world, renewed)
    await renewed.days_before_expiry(10)
    await renewed.until_renewed()
    assert await renewed.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert renewed.renewals() == renewed.one_renewal
    assert await renewed.customer.credits() == [("purchase", 0)]
