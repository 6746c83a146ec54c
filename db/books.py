"""Reading the ledger: a customer's statement, the trial balance, and whether the books are whole (R17)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.ledger import Account, CreditGrant, Entry, Movement


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement on a grant, and what was left after it."""

    movement_id: str
    key: str
    kind: str
    subject: str
    at: datetime
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class GrantStatement:
    """A grant's facts and its movements, oldest first; `remaining_minor` is the last line's balance."""

    grant_id: str
    kind: str
    currency: str
    amount_minor: int
    remaining_minor: int
    priority: int
    expires_on: date | None
    reference: str
    reason: str
    granted_by: str
    created_at: datetime
    lines: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True)
class TrialRow:
    """All accounts of a kind in a currency; over the kinds of a currency the balances sum to zero."""

    kind: str
    currency: str
    balance_minor: int
    entries: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A kept balance that is not the sum of its entries, or a movement whose entries do not sum to zero."""

    what: Literal["account", "movement"]
    id: str
    kept_minor: int
    summed_minor: int


async def statement(session: AsyncSession, customer_id: str) -> list[GrantStatement]:
    """Every grant of the customer, oldest first, with its movements and the balance after each (R18)."""
    lines: dict[str, list[StatementLine]] = {}
    for row in await session.execute(
        select(
            Entry.account_id,
            Entry.amount_minor,
            func.sum(Entry.amount_minor)
            .over(partition_by=Entry.account_id, order_by=Entry.id)
            .label("balance_minor"),
            Movement,
        )
        .join(Movement, Movement.id == Entry.movement_id)
        .join(CreditGrant, CreditGrant.account_id == Entry.account_id)
        .where(CreditGrant.customer_id == customer_id)
        .order_by(Entry.id)
    ):
        movement: Movement = row.Movement
        lines.setdefault(row.account_id, []).append(
            StatementLine(
                movement_id=movement.id,
                key=movement.key,
                kind=movement.kind,
                subject=movement.subject,
                at=movement.at,
                amount_minor=row.amount_minor,
                balance_minor=int(row.balance_minor),
            )
        )
    grants = (
        select(CreditGrant, Account.balance_minor)
        .join(Account, Account.id == CreditGrant.account_id)
        .where(CreditGrant.customer_id == customer_id)
        .order_by(CreditGrant.created_at, CreditGrant.id)
    )
    return [
        _statement(row.CreditGrant, row.balance_minor, lines.get(row.CreditGrant.account_id, []))
        for row in await session.execute(grants)
    ]


async def trial_balance(session: AsyncSession) -> list[TrialRow]:
    """What is on the accounts of each kind, by currency."""
    rows = await session.execute(
        select(
            Account.kind,
            Account.currency,
            func.sum(Entry.amount_minor).label("balance_minor"),
            func.count().label("entries"),
        )
        .join(Entry, Entry.account_id == Account.id)
        .group_by(Account.currency, Account.kind)
        .order_by(Account.currency, Account.kind)
    )
    return [TrialRow(row.kind, row.currency, int(row.balance_minor), row.entries) for row in rows]


async def broken_accounts(session: AsyncSession, limit: int | None = None) -> list[Broken]:
    """What the database should never have let happen; empty, or somebody must look at once (R17).

    `limit`: so many accounts and so many movements at most.
    """
    summed = func.coalesce(func.sum(Entry.amount_minor), 0)
    accounts = (
        select(Account.id, Account.balance_minor, summed.label("summed"))
        .outerjoin(Entry, Entry.account_id == Account.id)
        .where(Account.balance_minor.is_not(None))
        .group_by(Account.id)
        .having(summed != Account.balance_minor)
        .order_by(Account.id)
        .limit(limit)
    )
    movements = (
        select(Movement.id, summed.label("summed"))
        .outerjoin(Entry, Entry.movement_id == Movement.id)
        .group_by(Movement.id, Entry.currency)
        .having(or_(summed != 0, func.count(Entry.id) < 2))
        .order_by(Movement.id)
        .limit(limit)
    )
    return [
        *(
            Broken("account", row.id, row.balance_minor, int(row.summed))
            for row in await session.execute(accounts)
        ),
        *(Broken("movement", row.id, 0, int(row.summed)) for row in await session.execute(movements)),
    ]


def _statement(grant: CreditGrant, remaining_minor: int, lines: list[StatementLine]) -> GrantStatement:
    return GrantStatement(
        grant_id=grant.id,
        kind=grant.kind,
        currency=grant.currency,
        amount_minor=grant.amount_minor,
        remaining_minor=remaining_minor,
        priority=grant.priority,
        expires_on=grant.expires_on,
        reference=grant.reference,
        reason=grant.reason,
        granted_by=grant.granted_by,
        created_at=grant.created_at,
        lines=tuple(lines),
    )
