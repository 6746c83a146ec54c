"""A customer's credits: the statement, grant by grant, and a grant by staff."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, table
from db import books, customers, grants
from db.customers import UnknownCustomer
from db.grants import ReferenceTaken
from db.models.customer import Customer
from domain.money import NotMoney, UnknownCurrency, format_minor, parse_minor
from reception import granting
from reception.granting import Grant

Whose = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id or e-mail address.")]


def credits(customer: Whose, as_json: AsJson = False) -> None:
    """Show a customer's credit statement: every grant, what it paid, and what is left.

    Example: evergreen credits jo@example.com
    """

    async def command() -> list[books.GrantStatement]:
        async with running.database(running.settings()) as sessions, sessions() as session:
            return await books.statement(session, (await _whose(session, customer)).id)

    statement = running.run(command)
    if as_json:
        document([_as_document(grant) for grant in statement])
        return
    if not statement:
        console.print("This customer has had no credits.")
    for granted in statement:
        currency = granted.currency
        table(
            f"{granted.kind} credit {granted.reference}: {format_minor(granted.remaining_minor, currency)} left "
            f"of {format_minor(granted.amount_minor, currency)}"
            + (f", usable through {granted.expires_on}" if granted.expires_on else ""),
            ["date", "what", "about", "amount", "balance"],
            [
                (
                    f"{line.at:%Y-%m-%d}",
                    line.kind,
                    line.subject,
                    format_minor(line.amount_minor, currency),
                    format_minor(line.balance_minor, currency),
                )
                for line in granted.lines
            ],
            right=["amount", "balance"],
        )


def grant(
    customer: Whose,
    amount: Annotated[str, typer.Option(help="How much, written 200.00.")],
    currency: Annotated[str, typer.Option(help="ISO currency.")],
    reference: Annotated[
        str, typer.Option(help="What it is for, unique for ever: the same again grants nothing.")
    ],
    reason: Annotated[str, typer.Option(help="Why, for the statement and the audit.")],
    kind: Annotated[
        Literal["promotional", "purchase"], typer.Option(help="Given, or paid for.")
    ] = "promotional",
    expires_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it can be used.")
    ] = None,
    priority: Annotated[int, typer.Option(min=0, max=100, help="Lower is used first (R18).")] = 50,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Put credit on a customer's account; whatever waits for money is collected at once (R22).

    Example: evergreen grant jo@example.com --amount 20.00 --currency GBP --reference goodwill-17 --reason apology
    """
    try:
        amount_minor = parse_minor(amount, currency)
    except (NotMoney, UnknownCurrency) as wrong:
        raise typer.BadParameter(str(wrong)) from wrong
    if amount_minor == 0:
        raise typer.BadParameter("a grant is more than nothing")

    async def command() -> grants.Granted:
        async with running.database(running.settings()) as sessions:
            async with sessions.begin() as session:
                whose = await _whose(session, customer)
                wanted = Grant(
                    whose.id,
                    kind,
                    amount_minor,
                    currency,
                    reference=reference,
                    reason=reason,
                    by=by,
                    at=datetime.now(UTC),
                    expires_on=expires_on.date() if expires_on else None,
                    priority=priority,
                )
                try:
                    granted, waiting = await granting.put(session, wanted)
                except ReferenceTaken as taken:
                    raise Refused(f"the reference is taken by another grant: {taken}") from taken
            if waiting:
                await granting.tell(await running.temporal(), waiting, by)
        return granted

    granted = running.run(command)
    if as_json:
        document({"grant": granted.grant_id, "new": granted.new})
    elif granted.new:
        console.print(f"Granted {format_minor(amount_minor, currency)} as {granted.grant_id}.")
    else:
        console.print(f"The reference was granted before, as {granted.grant_id}: nothing was changed.")


async def _whose(session: AsyncSession, text: str) -> Customer:
    try:
        return await customers.find(session, text)
    except UnknownCustomer as unknown:
        raise Refused(str(unknown)) from unknown


def _as_document(granted: books.GrantStatement) -> dict[str, Any]:
    return {
        "grant": granted.grant_id,
        "kind": granted.kind,
        "currency": granted.currency,
        "amount_minor": granted.amount_minor,
        "remaining_minor": granted.remaining_minor,
        "reference": granted.reference,
        "expires_on": granted.expires_on,
        "movements": [
            {
                "at": line.at,
                "kind": line.kind,
                "subject": line.subject,
                "amount_minor": line.amount_minor,
                "balance_minor": line.balance_minor,
            }
            for line in granted.lines
        ],
    }
