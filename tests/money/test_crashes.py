"""Whatever dies in the middle of settling, charging, recording or giving back: each is done once (R25)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection

import starter
from domain.tasks import CardRefunds, RefundRequest
from tests.end_to_end.world import OwnWorker, WorkerProgram
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.subscribed import RENEWAL_MINOR, Subscribed
from tests.money.world import World

HELD_SECONDS = 8.0
"""So long the provider holds a call back: longer than it takes to get all the others to where they are to be."""
BACK_MINOR = 25_00


async def test_a_database_that_dies_at_any_step_leaves_one_charge_and_one_invoice(book: Book, world: World):
    """R20, R25: PostgreSQL is gone with every open transaction, and recovers."""

    async def postgres_dies() -> None:
        world.stack.postgres.kill()
        await world.stack.postgres.start()

    await _each_renewal_happens_once(book, postgres_dies)


async def test_a_payment_provider_that_dies_at_any_step_leaves_one_charge_and_one_invoice(
    book: Book, world: World
):
    """R20, R25: the provider is gone with what it was working on, and is back."""

    async def provider_dies() -> None:
        world.payments.program.kill()
        await world.payments.program.start()

    await _each_renewal_happens_once(book, provider_dies)


async def test_a_worker_that_dies_at_any_step_leaves_one_charge_and_one_invoice(
    book: Book, worker: OwnWorker, worker_program: WorkerProgram
):
    """R20, R25: `python worker.py` is killed; another takes over when the server has given it up, after a minute."""

    async def worker_dies() -> None:
        worker_program.kill()
        await worker.start()

    await _each_renewal_happens_once(book, worker_dies)


async def test_an_answer_lost_after_the_charge_is_looked_up_and_not_charged_again(book: Book, world: World):
    """R25: the money was taken although nobody heard of it; it is found at the provider by our key."""
    license = await book.subscription()
    await license.customer.save_card()
    await world.payments.fault("lose_reply", license.customer.reference, times=1)

    await license.at(license.plan.renews_at)
    await license.until_renewed()

    await _check_once(license, "the answer is lost")
    [charge] = await license.customer.charges()
    assert charge["repeats"] == 0


async def _each_renewal_happens_once(book: Book, somebody_dies: Callable[[], Awaitable[None]]) -> None:
    """One license stands at each step when it happens; all of them are renewed, and the refund is made once."""
    world = book.world
    licenses = {step: await book.subscription() for step in STEPS}
    for step, license in licenses.items():
        if step != "saving the card":
            await license.customer.save_card()
    await licenses["giving back"].days_before_expiry(13)
    await licenses["giving back"].until_renewed()

    async with _locks(world) as locks:
        for step, bring_there in STEPS.items():
            if step == "settling":
                await locks.hold(licenses[step])
            if step == "writing ahead":
                await locks.hold_payments()
            if step == "settling":
                arriving = asyncio.create_task(
                    bring_there(licenses[step])
                )  # its clock stands still meanwhile
                await eventually(lambda: _wait_for_locks(world, 1), "settling waits")
            else:
                await bring_there(licenses[step])
            if step == "giving back":
                refund = asyncio.create_task(_give_back(licenses[step]))
            if step in CALLED:
                await eventually(
                    lambda step=step: _is_written_ahead(licenses[step], step), f"{step} has begun"
                )
            if step in ANSWERED:
                await locks.hold(licenses[step])
        await eventually(
            lambda: _wait_for_locks(world, 4), "settling, writing ahead, answered and recording wait"
        )
        assert [await licenses[step].customer.taken() for step in ("settling", "writing ahead")] == [[], []]
        for step in ANSWERED:
            assert await licenses[step].customer.taken() == [(RENEWAL_MINOR, "GBP")], step
        assert await licenses["at the provider"].customer.taken() == []
        assert await licenses["giving back"].customer.refunds() == []
        await somebody_dies()

    await arriving
    await asyncio.gather(*(license.until_renewed() for license in licenses.values()))
    assert len((await refund).payment_ids) == 1
    for step, license in licenses.items():
        await _check_once(license, step)
    giving_back = licenses["giving back"].customer
    assert await giving_back.refunds() == [BACK_MINOR]
    assert [note.total_minor for note in await giving_back.papers("credit_note")] == [-BACK_MINOR]
    [made] = await licenses["giving back"].payments("refund")
    assert (made.amount_minor, made.status) == (BACK_MINOR, "succeeded")


async def _at_the_provider(license: Subscribed) -> None:
    """The provider has the charge before it, and is not done."""
    await _hold(license, "charge")
    await license.at(license.plan.renews_at)


async def _saving_the_card(license: Subscribed) -> None:
    """The first charge of a card that an import gave: the provider is still at saving it."""
    async with license.world.sessions.begin() as session:
        await session.execute(
            text("UPDATE customers SET card_token = 'pm_card_visa' WHERE id = :id"),
            {"id": license.customer.id},
        )
    await _hold(license, "card", anyone=True)
    await license.at(license.plan.renews_at)


async def _charged_but_lost(license: Subscribed) -> None:
    """The money is taken, the answer got lost, and it is being looked up."""
    await license.world.payments.fault("lose_reply", license.customer.reference, times=1)
    await license.world.payments.fault("slow", license.customer.reference, on=["read"], seconds=2, times=1)
    await license.at(license.plan.renews_at)


async def _charged(license: Subscribed) -> None:
    """The money is taken, and is being written down."""
    await license.world.payments.fault("slow", license.customer.reference, on=["charge"], seconds=2, times=1)
    await license.at(license.plan.renews_at)


async def _hold_refunds(license: Subscribed) -> None:
    await _hold(license, "refund")


async def _due(license: Subscribed) -> None:
    await license.at(license.plan.renews_at)


STEPS: dict[str, Callable[[Subscribed], Awaitable[None]]] = {
    "saving the card": _saving_the_card,
    "at the provider": _at_the_provider,
    "the answer is lost": _charged_but_lost,
    "recording": _charged,
    "giving back": _hold_refunds,
    "settling": _due,
    "writing ahead": _due,
}
"""Each step, and what brings a license there and holds it."""
CALLED = ("saving the card", "at the provider", "the answer is lost", "recording", "giving back")
ANSWERED = ("the answer is lost", "recording")


async def _hold(license: Subscribed, operation: str, anyone: bool = False) -> None:
    whom = None if anyone else license.customer.reference
    await license.world.payments.fault("slow", whom, on=[operation], seconds=HELD_SECONDS, times=1)


async def _give_back(license: Subscribed) -> CardRefunds:
    [invoice] = await license.customer.papers()
    request = RefundRequest(
        invoice=invoice.number,
        amount_minor=BACK_MINOR,
        reference="slow",
        by="support:jo",
        reason="a test",
        at=license.plan.renews_at,
    )
    return await starter.refund(license.world.client, request)


async def _is_written_ahead(license: Subscribed, step: str) -> bool:
    """Whether the row about the call to the provider stands, and the call may be under way."""
    if step == "giving back":
        return [refund.status for refund in await license.payments("refund")] == ["unknown"]
    return len(await license.payments()) == 1


@dataclass(frozen=True)
class Locks:
    """What nobody else can write, until the block or the database ends."""

    connected: AsyncConnection

    async def hold(self, license: Subscribed) -> None:
        """Nothing of this license can be settled or recorded."""
        await self.connected.execute(
            text("SELECT 1 FROM subscriptions WHERE id = :id FOR UPDATE"), {"id": license.id}
        )

    async def hold_payments(self) -> None:
        """No payment can be written down."""
        await self.connected.execute(text("LOCK TABLE payments IN SHARE MODE"))


@asynccontextmanager
async def _locks(world: World) -> AsyncIterator[Locks]:
    connected = await world.engine.connect()
    try:
        yield Locks(connected)
    finally:
        with suppress(DBAPIError, InterfaceError, OSError):  # it may have died with the database
            await connected.rollback()
        await connected.invalidate()
        await connected.close()


async def _wait_for_locks(world: World, number: int) -> bool:
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with world.sessions() as session:
        return (await session.scalar(query) or 0) >= number


async def _check_once(license: Subscribed, step: str) -> None:
    """One charge at the provider and with us, one invoice, paid; one renewal at the vendor."""
    license.customer.reference = (await license.row()).customer.provider_customer_id
    assert await license.customer.taken() == [(RENEWAL_MINOR, "GBP")], step
    assert len(await license.customer.charges()) == 1, step
    assert [charge.status for charge in await license.payments()] == ["succeeded"], step
    [invoice] = await license.customer.papers()
    given_back = BACK_MINOR if step == "giving back" else 0
    assert (invoice.total_minor, invoice.paid_minor) == (RENEWAL_MINOR, RENEWAL_MINOR), step
    assert (invoice.due_minor, invoice.returned_minor) == (0, -given_back), step
    assert license.renewals() == license.one_renewal, step
    assert len(await license.notices("receipt")) == 1, step
