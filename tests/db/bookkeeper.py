"""Short words for what the ledger's tests do over and over, each in a transaction of its own."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import books, grants, ledger, remainders
from db.grants import Granted
from db.identifiers import new_id
from db.ledger import Posted, Posting
from db.models.customer import Customer
from domain.credits import GrantKind, Use, allocate

AT = datetime(2027, 8, 17, 8, 0, tzinfo=UTC)
TODAY = date(2027, 8, 17)
T = TypeVar("T")


async def at_once(*steps: Awaitable[T]) -> list[T]:
    """Run all of them to their end, even when one fails: nothing is left running into the next test."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes  # type: ignore[return-value]  # no exception is among them


@dataclass(frozen=True)
class Bookkeeper:
    """The transactions; amounts are pounds in pence unless another currency is named."""

    sessions: async_sessionmaker[AsyncSession]

    async def customer(self) -> str:
        customer_id = new_id("customer")
        async with self.sessions.begin() as session:
            session.add(
                Customer(
                    id=customer_id,
                    email=f"{customer_id}@example.com",
                    name="Ann",
                    country="GB",
                    created_at=AT,
                )
            )
        return customer_id

    async def grant(
        self,
        customer_id: str,
        amount_minor: int,
        kind: GrantKind = "purchase",
        currency: str = "GBP",
        reference: str | None = None,
        **options: Any,
    ) -> Granted:
        async with self.sessions.begin() as session:
            return await grants.grant(
                session,
                customer_id,
                kind,
                amount_minor,
                currency,
                reference=reference or new_id("reference"),
                reason="a test",
                by="staff:jo",
                at=options.pop("at", AT),
                **options,
            )

    async def invoice(self, customer_id: str, amount_minor: int, currency: str = "GBP") -> str:
        """An account on which the amount is owed; answers the account's id."""
        invoice_id = new_id("invoice")
        async with self.sessions.begin() as session:
            account_id = await ledger.open_invoice_account(
                session, invoice_id, customer_id=customer_id, currency=currency
            )
            revenue = ledger.system_account("revenue", currency)
            await ledger.post(
                session,
                key=f"invoice/{invoice_id}",
                kind="invoice",
                postings=[Posting(account_id, -amount_minor), Posting(revenue, amount_minor)],
                currency=currency,
                at=AT,
                subject=invoice_id,
            )
        return account_id

    async def use(
        self, key: str, invoice_account_id: str, *uses: tuple[str, int], currency: str = "GBP"
    ) -> Posted:
        async with self.sessions.begin() as session:
            return await grants.use(
                session,
                key=key,
                uses=[Use(grant_id, amount_minor) for grant_id, amount_minor in uses],
                invoice_account_id=invoice_account_id,
                currency=currency,
                at=AT,
                subject="an order",
            )

    async def pay(self, key: str, customer_id: str, invoice_account_id: str, amount_minor: int) -> list[Use]:
        """Pay with whatever grants there are, as a renewal does."""
        async with self.sessions.begin() as session:
            return await self.pay_in(session, key, customer_id, invoice_account_id, amount_minor)

    async def pay_in(
        self, session: AsyncSession, key: str, customer_id: str, invoice_account_id: str, amount_minor: int
    ) -> list[Use]:
        """The same in a transaction of the test's own."""
        usable = await grants.usable_grants(session, customer_id, "GBP", TODAY)
        uses = allocate(usable, amount_minor, TODAY)
        if uses:
            await grants.use(
                session,
                key=key,
                uses=uses,
                invoice_account_id=invoice_account_id,
                currency="GBP",
                at=AT,
                subject="an order",
            )
        return uses

    async def reverse(self, movement_key: str, key: str) -> Posted:
        async with self.sessions.begin() as session:
            return await ledger.reverse(session, movement_key, key=key, at=AT)

    async def expire(self, grant_id: str, on: date = TODAY) -> int:
        async with self.sessions.begin() as session:
            return await remainders.expire(session, grant_id, on=on, at=AT)

    async def convert(self, grant_id: str, reference: str) -> Granted | None:
        async with self.sessions.begin() as session:
            return await remainders.convert(
                session, grant_id, reference=reference, reason="the rest of a purchase", by="system", at=AT
            )

    async def left(self, grant_id: str) -> int:
        return await self.balance(ledger.grant_account(grant_id))

    async def balance(self, account_id: str) -> int:
        async with self.sessions() as session:
            return await ledger.balance_minor(session, account_id)

    async def statement(self, customer_id: str) -> list[books.GrantStatement]:
        async with self.sessions() as session:
            return await books.statement(session, customer_id)

    async def check(self) -> None:
        """The books are whole and balance in every currency."""
        async with self.sessions() as session:
            assert await books.broken_accounts(session) == []
            totals: dict[str, int] = {}
            for row in await books.trial_balance(session):
                totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
        assert not any(totals.values())
