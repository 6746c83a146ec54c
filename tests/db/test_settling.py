"""A renewal is settled in one short transaction: few statements, the number last, gapless under a crowd (R21, R25)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activities.billing import BillingActivities
from activities.licensing import LicensingActivities
from activities.till import Till
from benchmarks.ground import InstantVendor
from db import books, grants
from db.models.invoice import Invoice
from db.models.ledger import Movement
from db.models.notice import Notice
from db.models.order import Order
from db.subscriptions import Held
from domain import catalogue
from domain.milestones import Policy
from domain.tasks import Proof, Settlement, SettleRequest, TermRecord
from domain.term import next_term
from domain.working_days import WorkingDays
from tests.db.office import RING
from tests.db.shelf import Shelf, statements

Sessions = async_sessionmaker[AsyncSession]

AT = datetime(2027, 8, 17, 8, tzinfo=UTC)
PRICES = catalogue.parse((Path(catalogue.__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))


@pytest.fixture
def billing(sessions: Sessions) -> BillingActivities:
    return BillingActivities(sessions, Till(PRICES, WorkingDays(), Policy(), cards=False))


async def due(sessions: Sessions, credit_minor: int = 1_000_000) -> Held:
    held = await Shelf(sessions).license()
    async with sessions.begin() as session:
        await grants.grant(
            session,
            held.customer.id,
            "promotional",
            credit_minor,
            "GBP",
            reference=f"for {held.subscription.id}",
            reason="a test",
            by="staff:jo",
            at=AT,
        )
    return held


async def settled(billing: BillingActivities, held: Held) -> Settlement:
    request = SettleRequest(
        subscription_id=held.subscription.id,
        term=held.term,
        next_term=next_term(held.term),
        round=1,
        renews_on=AT.date(),
        at=AT,
    )
    return await billing.settle(request)


async def test_a_renewal_is_settled_in_ten_statements_and_only_the_letters_come_after_its_number(
    engine: AsyncEngine, sessions: Sessions, billing: BillingActivities
) -> None:
    await settled(billing, await due(sessions))  # the first in its currency opens our own accounts
    held = await due(sessions)

    with statements(engine) as sent:
        settlement = await settled(billing, held)

    assert settlement.paid is not None
    assert len(sent) <= 10
    assert ["invoice_series" in statement for statement in sent[-2:]] == [True, False]
    assert "INSERT INTO notices" in sent[-1]


@pytest.mark.parametrize("credit_minor", [1_000_000, 100_00], ids=["paid", "short"])
async def test_settling_again_answers_the_same_and_moves_nothing(
    sessions: Sessions, billing: BillingActivities, credit_minor: int
) -> None:
    """R25: the first answer was lost."""
    held = await due(sessions, credit_minor)
    first = await settled(billing, held)

    assert await settled(billing, held) == first

    async with sessions() as session:
        kinds = (await session.scalars(select(Movement.kind).order_by(Movement.id))).all()
        assert sorted(kinds) == ["grant", "invoice", "use"]
        assert await session.scalar(select(func.count()).select_from(Invoice)) == 1
        assert await books.broken_accounts(session) == []


async def test_a_crowd_that_settles_at_once_gets_numbers_without_a_gap(
    sessions: Sessions, billing: BillingActivities
) -> None:
    crowd = [await due(sessions) for _ in range(25)]

    await asyncio.gather(*(settled(billing, held) for held in crowd))

    async with sessions() as session:
        numbers = (await session.scalars(select(Invoice.number).order_by(Invoice.sequence))).all()
        assert numbers == [f"INV-2027-{number:06d}" for number in range(1, 26)]
        assert await books.broken_accounts(session) == []
        assert sum(row.balance_minor for row in await books.trial_balance(session)) == 0


async def test_a_term_that_is_begun_again_is_told_once_and_leaves_the_next_ones_letter_alone(
    sessions: Sessions, billing: BillingActivities
) -> None:
    """R6, R25: the answer was lost after the commit, so the row is a term further when it is asked again."""
    held = await due(sessions)
    settlement = await settled(billing, held)
    bought = next_term(held.term)
    record = TermRecord(
        subscription_id=held.subscription.id,
        order_id=settlement.order_id or "",
        proof=Proof(expires_on=bought.expires_on, addons=()),
        next_term=bought,
        auto_renew=True,
        at=AT + timedelta(minutes=1),
    )
    licensing = LicensingActivities(sessions, InstantVendor(), RING, Policy())

    assert await licensing.begin_term(record) == await licensing.begin_term(record)

    async with sessions() as session:
        told = select(Notice.term_expires_on).where(Notice.kind == "license_updated")
        assert (await session.scalars(told)).all() == [held.term.expires_on]
        assert (await session.scalars(select(Order.state))).all() == ["fulfilled"]
