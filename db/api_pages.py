"""Lists for programs, a page at a time: by a key that never changes, from where the last page ended.

Whatever is added or changed meanwhile, no row comes twice and none that was there is left out. One statement each, on
an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.customer import Customer
from db.models.intake import Intake
from db.models.license import License
from db.models.request import LicenseRequest
from db.models.subscription import Subscription
from db.requests import Listed
from db.subscriptions import Held, held_query


async def subscriptions(
    session: AsyncSession,
    after: str,
    limit: int,
    *,
    state: str | None = None,
    customer_id: str | None = None,
    last_four: str | None = None,
    renews_before: date | None = None,
) -> list[Held]:
    """By id, which is the order in which they came."""
    query = held_query().where(Subscription.id > after).order_by(Subscription.id).limit(limit)
    if state is not None:
        query = query.where(Subscription.state == state)
    if customer_id is not None:
        query = query.where(Subscription.customer_id == customer_id)
    if last_four is not None:
        query = query.where(License.last_four == last_four.upper())
    if renews_before is not None:
        query = query.where(Subscription.next_renews_on < renews_before, Subscription.auto_renew)
    return [Held(*row) for row in (await session.execute(query)).all()]


async def requests(session: AsyncSession, after: str, limit: int, state: str | None = None) -> list[Listed]:
    """By id, oldest first."""
    query = (
        select(LicenseRequest, Customer)
        .join(Customer, Customer.id == LicenseRequest.customer_id)
        .where(LicenseRequest.id > after)
        .order_by(LicenseRequest.id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(LicenseRequest.state == state)
    return [Listed(*row) for row in (await session.execute(query)).all()]


async def imports(session: AsyncSession, after: str, limit: int) -> Sequence[Intake]:
    """By id, oldest first."""
    query = select(Intake).where(Intake.id > after).order_by(Intake.id).limit(limit)
    return (await session.scalars(query)).all()
