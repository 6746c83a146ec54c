"""A book of any size is compared batch by batch, and a long reconciliation goes on in a fresh run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from db.identifiers import first_id
from db.models.payment import Payment
from db.payments import PAYMENT
from domain.differences import Kind
from domain.reconciliation import Batch, BatchDone, Conclusion, Reconciled, ReconcileRequest, Stage
from tests.money.book import Book
from tests.reconciliation.accidents import (
    found,
    nothing_left,
    paid_with_card,
    payments,
    reconciled,
    reconciliation,
)
from worker import sandboxed
from workflows.reconciliation import Reconciliation

NOW = datetime.now(UTC)
BATCHES = 10
Step = Callable[[Batch], Awaitable[BatchDone]]


async def all_batches(step: Step) -> tuple[int, int]:
    """How many were compared, and in how many batches."""
    compared, after = list[int](), ""
    began_at = datetime.now(UTC)
    while True:
        done = await ActivityEnvironment().run(step, Batch(began_at=began_at, after=after))
        compared.append(done.checked)
        if done.after is None:
            return sum(compared), len(compared)
        assert done.after != after, "it does not get on"
        after = done.after


async def test_batches_of_one_compare_the_same_as_a_large_one(book: Book):
    for _ in range(3):
        subscription = await paid_with_card(book)
        await subscription.days_before_expiry(10)
        await subscription.until_renewed()
    small, large = reconciliation(book.world, 1), reconciliation(book.world)

    for one_by_one, at_once in (
        (small.start_missing, large.start_missing),
        (small.find_strays, large.find_strays),
    ):
        compared, batches = await all_batches(one_by_one)
        assert batches * 20 >= compared >= 3
        assert compared == (await all_batches(at_once))[0]
    assert (await all_batches(payments(book.world, 1).compare_payments))[0] >= 3
    await nothing_left(book)


async def test_a_payment_is_compared_in_whichever_slice_it_is_and_stays_in_view(book: Book):
    """Money that we booked and the provider does not have; a month later it is older than both lists."""
    made = []
    for days_ago in (6, 4, 2):
        subscription = await paid_with_card(book)
        await subscription.days_before_expiry(10)
        await subscription.until_renewed()
        [payment] = await subscription.payments()
        made.append((payment.id, payment.provider_reference))
        await changed(book, payment.id, id=some_days_ago(days_ago))
    _, batches = await all_batches(payments(book.world, 1).compare_payments)
    assert batches >= 4
    await nothing_left(book)

    await changed(book, some_days_ago(4), provider_reference="pi_nobody")
    assert (await reconciled(book)).open == 1
    await changed(book, some_days_ago(4), id=some_days_ago(30))
    assert (await reconciled(book)).open == 1
    [reported] = await found(book, "pi_nobody")
    assert (reported.kind, reported.gone_at) == (Kind.CHARGE_UNKNOWN_THERE, None)

    await changed(book, some_days_ago(30), provider_reference=made[1][1])
    await nothing_left(book)


class LargeBook:
    """Stands for a book whose cursors fill the history of a run, as millions of short ones do."""

    @activity.defn
    async def compare_licenses(self, batch: Batch) -> BatchDone:
        """Ten batches."""
        number = int(batch.after.partition(".")[0] or 0) + 1
        return BatchDone(checked=1, after=f"{number}.{'x' * 600_000}" if number < BATCHES else None)

    @activity.defn
    async def look_at_rows(self, batch: Batch) -> BatchDone:
        """One batch."""
        return BatchDone(checked=1)

    @activity.defn
    async def conclude(self, conclusion: Conclusion) -> Reconciled:
        """Nothing was found."""
        return Reconciled(
            began_at=conclusion.began_at, checked={}, unchecked=conclusion.unchecked, healed=0, open=0
        )


async def test_a_long_one_goes_on_in_a_fresh_run_where_it_was(book: Book):
    """It carries when it began, its cursor and what it has compared; nothing is compared twice or left out."""
    large, queue = LargeBook(), "large-book"
    began_at = datetime(2027, 1, 1, tzinfo=UTC)
    so_far = ReconcileRequest(began_at=began_at, stage=Stage.LICENSES, checked={Stage.MISSING: 7})
    async with Worker(
        book.world.client,
        task_queue=queue,
        workflows=[Reconciliation],
        activities=[large.compare_licenses, large.look_at_rows, large.conclude],
        workflow_runner=sandboxed(),
    ):
        handle = await book.world.client.start_workflow(
            Reconciliation.run, so_far, id="reconciliation/large-book", task_queue=queue
        )
        result = await handle.result()

    first = book.world.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    assert (await first.describe()).status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    assert result.began_at == began_at
    assert result.checked == {Stage.MISSING: 7, Stage.LICENSES: BATCHES, Stage.ROWS: 1}


def some_days_ago(days: int) -> str:
    """The id of a payment that was written down then."""
    return first_id(PAYMENT, NOW - timedelta(days=days))


async def changed(book: Book, payment_id: str, **values: str | None) -> None:
    """Somebody, or time, has changed a row of ours."""
    async with book.world.sessions.begin() as session:
        await session.execute(update(Payment).where(Payment.id == payment_id).values(values))
