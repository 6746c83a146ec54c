"""What the tables hold, beside what a command said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from db.models.customer import Customer
from db.models.intake import Intake
from db.models.ledger import CreditGrant
from db.models.license import License
from db.models.subscription import Subscription
from domain.messages import subscription_workflow_id

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Counts:
    """How many rows there are of what an import makes."""

    customers: int
    licenses: int
    subscriptions: int
    grants: int
    imports: int

    def __sub__(self, other: Counts) -> Counts:
        """What was added."""
        return Counts(*(now - before for now, before in zip(astuple(self), astuple(other), strict=True)))


NOTHING = Counts(0, 0, 0, 0, 0)


async def counts(sessions: async_sessionmaker[AsyncSession]) -> Counts:
    tables = (Customer, License, Subscription, CreditGrant, Intake)
    async with sessions() as session:
        return Counts(*[(await session.scalar(select(func.count()).select_from(t))) or 0 for t in tables])


async def subscription_of(sessions: async_sessionmaker[AsyncSession], row: dict[str, str]) -> str:
    """The id of the subscription that an imported row became."""
    email = row["customer_email"]
    async with sessions() as session:
        found = select(Subscription.id).join(Customer, Customer.id == Subscription.customer_id)
        return (await session.scalars(found.where(Customer.email == email))).one()


async def intake_of(sessions: async_sessionmaker[AsyncSession], filename: str) -> Intake | None:
    """The latest import of a file of this name, once it is stored."""
    async with sessions() as session:
        query = select(Intake).where(Intake.filename == filename).order_by(Intake.id.desc()).limit(1)
        return (await session.scalars(query)).first()


async def started(sessions: async_sessionmaker[AsyncSession], filename: str) -> int:
    """How many workflows of that import are known to be started."""
    if (intake := await intake_of(sessions, filename)) is None:
        return 0
    async with sessions() as session:
        query = select(func.count(Subscription.started_at)).where(Subscription.intake_id == intake.id)
        return (await session.scalar(query)) or 0


async def workflows_of(
    sessions: async_sessionmaker[AsyncSession], temporal: Client, filename: str
) -> tuple[int, int]:
    """How many subscriptions of that import there are, and how many of them have a workflow that runs."""
    intake = await intake_of(sessions, filename)
    assert intake is not None
    async with sessions() as session:
        ids = (
            await session.scalars(select(Subscription.id).where(Subscription.intake_id == intake.id))
        ).all()
    described = await asyncio.gather(*(_runs(temporal, subscription_workflow_id(i)) for i in ids))
    return len(ids), sum(described)


async def _runs(temporal: Client, workflow_id: str) -> bool:
    described = await temporal.get_workflow_handle(workflow_id).describe()
    return described.status is not None and described.status.name == "RUNNING"


async def waits_for_a_lock(sessions: async_sessionmaker[AsyncSession]) -> bool:
    """Whether somebody waits in PostgreSQL for what a test holds."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with sessions() as session:
        return bool(await session.scalar(text(query)))


async def until(true: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait until something is so."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"never came: {what}") from None


def last_four(rows: Sequence[dict[str, str]]) -> list[str]:
    """What a person types instead of an id."""
    return [row["license_key"][-4:] for row in rows]
