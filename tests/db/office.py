"""Purchases and licenses to record, and short words for recording them, each in a transaction of its own."""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import intakes, purchases
from db.arrivals import Storing
from db.identifiers import new_id
from db.license_keys import KeyRing
from db.models.subscription import Subscription
from db.purchases import Recorded, Stored
from domain.intake_row import Row
from domain.milestones import Policy
from domain.purchase import Purchase
from sealing.keys import Keys
from tests.db.bookkeeper import AT

Sessions = async_sessionmaker[AsyncSession]

KEY, OTHER_KEY = "ABCDE-FGHJK-LMNPQ-00001", "ABCDE-FGHJK-LMNPQ-00002"
RING = KeyRing(Keys({"now": bytes(range(32))}), b"a pepper of enough bytes")


def license_row(license_key: str = KEY, email: str = "jo@pine.example", **changes: Any) -> Row:
    row = Row(
        line=2,
        customer_email=email,
        customer_name="Pine Hosting Ltd",
        country="JE",
        currency="GBP",
        license_key=license_key,
        product="SmarterMail",
        edition="Professional",
        size="250",
        addons=("MAPI & EWS",),
        expires_on=date(2027, 8, 31),
        renews_on=None,
        opening_credit_minor=0,
        previous_customer=False,
        card_token=None,
        window_closed=False,
    )
    return replace(row, **changes)


def purchase(
    reference: str = "INV-1",
    amount_minor: int = 20_000,
    license: Row | None = None,
    line: int = 2,
    **changes: Any,
) -> Purchase:
    """A row of a file: the license is described, for its key may be new."""
    license = license or license_row()
    described = Purchase(
        line=line,
        reference=reference,
        amount_minor=amount_minor,
        currency=license.currency,
        license_key=license.license_key,
        customer_email=license.customer_email,
        previous_customer=license.previous_customer,
        license=license,
    )
    return replace(described, **changes)


def undescribed(reference: str = "INV-1", amount_minor: int = 20_000, **changes: Any) -> Purchase:
    """What a command gives for a key that is here already."""
    described = purchase(reference, amount_minor)
    return replace(described, **{"license": None, "customer_email": None} | changes)


class Office:
    """Records purchases and looks at what came of it, each in a transaction of its own."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    def storing(self, by: str = "staff:jo") -> Storing:
        return Storing(new_id("imp"), "purchases.csv", bytes(32), by, AT, RING, Policy())

    async def record(self, *given: Purchase) -> list[Recorded]:
        """As a command does for one: under an intake, raising what is refused."""
        storing = self.storing()
        async with self.sessions.begin() as session:
            await intakes.begin(session, storing)
            return [await purchases.record(session, storing, one) for one in given]

    async def store(self, *given: Purchase) -> Stored:
        async with self.sessions.begin() as session:
            return await purchases.store(session, self.storing(), given)

    async def one(self, table: type[Any], **facts: Any) -> Any:
        async with self.sessions() as session:
            return (await session.scalars(select(table).filter_by(**facts))).one()

    async def count(self, table: type[Any], **facts: Any) -> int:
        async with self.sessions() as session:
            return await session.scalar(select(func.count()).select_from(table).filter_by(**facts)) or 0

    async def change(self, subscription_id: str, **values: Any) -> None:
        """Let the subscription's workflow have written this."""
        async with self.sessions.begin() as session:
            await session.execute(
                update(Subscription).where(Subscription.id == subscription_id).values(**values)
            )
