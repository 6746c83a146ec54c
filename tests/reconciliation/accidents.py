"""What happens behind our back in these tests, and how it is looked for afterwards."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime

from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

import starter
from activities.billing import BillingActivities
from activities.collecting import CollectingActivities
from activities.payment_reconciliation import PaymentReconciliationActivities
from activities.reconciliation import ReconciliationActivities
from activities.till import Till
from db.models.difference import DifferenceRecord
from domain.messages import Life
from domain.reconciliation import Reconciled
from domain.tasks import ChargeRequest, LapseNote, Settlement, SettleRequest
from domain.term import next_term
from tests.architecture.source import ROOT
from tests.end_to_end.dates import DAY
from tests.money.book import Book
from tests.money.subscribed import Subscribed
from tests.money.world import World

# ---- what happens


async def paid_with_card(book: Book) -> Subscribed:
    """Somebody whose card pays."""
    subscription = await book.subscription()
    await subscription.customer.save_card()
    return subscription


async def lost(subscription: Subscribed) -> None:
    """Terminated by hand; when it is started anew its clock shows the real time."""
    await subscription.handle.terminate("by hand")
    subscription.world.clocks.begins_anew(subscription.workflow_id)


async def expired(book: Book, days_ago: int) -> tuple[Subscribed, Life]:
    """Its license expired so many days ago; of its workflow nothing is left, whatever it did is in our rows."""
    customer, expires_on = book.customer(), datetime.now(UTC).date() - days_ago * DAY
    return await book.stored(customer, expires_on)


async def settled_in_time(book: Book, life: Life) -> Settlement:
    """What its workflow did on the renewal date, when there still was one: credits first, then the card (R21)."""
    world, at = book.world, life.plan.renews_at
    billing = BillingActivities(world.sessions, till(world))
    collecting = CollectingActivities(world.sessions, world.provider, till(world))
    settlement = await ActivityEnvironment().run(
        billing.settle,
        SettleRequest(
            subscription_id=life.subscription_id,
            term=life.term,
            next_term=next_term(life.term, life.months, life.anchor_day),
            round=1,
            renews_on=life.plan.renews_on,
            at=at,
        ),
    )
    if settlement.paid is not None or not settlement.card or settlement.order_id is None:
        return settlement
    charge = ChargeRequest(subscription_id=life.subscription_id, order_id=settlement.order_id, at=at)
    return await ActivityEnvironment().run(collecting.charge, charge)


async def lapsed_in_time(book: Book, life: Life) -> None:
    """What its workflow did at the end of the term, unpaid (R22)."""
    note = LapseNote(
        subscription_id=life.subscription_id,
        term=life.term,
        reason="NotPaidInTime",
        late_until_at=life.plan.late_until_at,
        at=life.plan.term_ends_at,
    )
    await ActivityEnvironment().run(BillingActivities(book.world.sessions, till(book.world)).lapse, note)


# ---- looking for it


async def reconciled(book: Book) -> Reconciled:
    """All is compared, by the workflow."""
    async with asyncio.timeout(60):
        return await starter.reconcile(book.world.client)


async def typed(world: World, *arguments: str, **variables: str) -> tuple[int, str]:
    """The exit code of `evergreen reconcile --json …`, and what it printed."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "starter.py",
        "reconcile",
        "--json",
        *arguments,
        cwd=ROOT,
        env={**world.variables, "PATH": "/usr/bin:/bin", **variables},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await program.communicate()
    return program.returncode or 0, out.decode()


async def reconciled_by_hand(book: Book, *arguments: str) -> tuple[int, dict[str, object]]:
    """The exit code of `evergreen reconcile --json …`, and its document."""
    code, told = await typed(book.world, *arguments)
    return code, json.loads(told)


async def found(book: Book, subject: str) -> list[DifferenceRecord]:
    """What was ever written down about a subject, oldest first."""
    query = select(DifferenceRecord).where(DifferenceRecord.subject == subject)
    async with book.world.sessions() as session:
        return list(await session.scalars(query.order_by(DifferenceRecord.id)))


async def nothing_left(book: Book) -> None:
    """What the test had done is mended: nothing is open any more, and another look changes nothing."""
    again = await reconciled(book)
    assert (again.healed, again.open, again.unchecked) == (0, 0, ())


# ---- the parts, by themselves


def till(world: World) -> Till:
    """As the worker has it."""
    settings = world.settings
    return Till(settings.price_list(), settings.working_days(), settings.policy(), cards=True)


def reconciliation(world: World, at_a_time: int = 500) -> ReconciliationActivities:
    """As the worker has it, in batches as large as wanted."""
    return ReconciliationActivities(world.sessions, world.client, till(world), at_a_time)


def payments(world: World, at_a_time: int = 1000) -> PaymentReconciliationActivities:
    """As the worker has it, in batches as large as wanted."""
    collecting = CollectingActivities(world.sessions, world.provider, till(world))
    return PaymentReconciliationActivities(world.sessions, world.client, collecting, at_a_time)
