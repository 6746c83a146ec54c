"""What add-ons would cost now, line by line, and how a quote is shown (R14, R15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from commands import running
from commands.running import Refused
from commands.screen import AsJson, console, document, moment, table
from commands.subscriptions import Which, one
from config import Settings
from db import books
from db.quotes import QuoteRefused, Quoting
from domain.messages import Quote
from domain.money import format_minor
from domain.not_offered import NotOffered
from domain.ordering import NotForSale
from domain.pricing import AddonAlreadyHeld, NoAddons, OutsideTerm

NO = (NotForSale, NotOffered, AddonAlreadyHeld, NoAddons, OutsideTerm, QuoteRefused)
"""Why something cannot be quoted."""

Addons = Annotated[
    list[str], typer.Argument(metavar="ADDON", help='As the catalogue names them, like "Message Sniffer".')
]


def quote(subscription: Which, addons: Addons, as_json: AsJson = False) -> None:
    """Quote add-ons for the rest of the term: every line, the credits that would be used, what remains to be paid.

    The quote holds until midnight. Accept it with `add-addons … --quote`.

    Example: evergreen quote 7K2P "Message Sniffer" "MAPI & EWS"
    """

    async def command() -> tuple[Quote, dict[str, str], str]:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions.begin() as session:
            held = await one(session, subscription)
            try:
                wanted = tuple(dict.fromkeys(addons))
                made = await quoting(settings).quote(session, held, wanted, datetime.now(UTC))
            except NO as no:
                raise Refused(str(no)) from no
            return made, await references(session, held.customer.id), settings.zone

    made, known, zone = running.run(command)
    if as_json:
        document(made.model_dump(mode="json"))
    else:
        show(made, zone, known)
        console.print(f"Accept it with `evergreen add-addons … --quote {made.quote_id}`.")


def quoting(settings: Settings) -> Quoting:
    """What quotes are reckoned with."""
    return Quoting(settings.price_list(), settings.working_days())


async def references(session: AsyncSession, customer_id: str) -> dict[str, str]:
    """Grant id → what the customer knows the grant by."""
    return {
        granted.grant_id: f"{granted.kind} credit {granted.reference}"
        for granted in await books.statement(session, customer_id)
    }


def show(quote: Quote, zone: str, known: Mapping[str, str] | None = None) -> None:
    """Print a quote; `known` as `references` gives it."""
    currency = quote.currency
    lines = [
        (line.description, _days(line.days, line.term_days), format_minor(line.amount_minor, currency))
        for line in quote.lines
    ]
    uses = [
        ((known or {}).get(use.grant_id, use.grant_id), "", format_minor(-use.amount_minor, currency))
        for use in quote.credits
    ]
    sums = [
        ("Total", "", format_minor(quote.total_minor, currency)),
        *uses,
        ("Remainder, from the saved card", "", format_minor(quote.remainder_minor, currency)),
    ]
    table(f"quote {quote.quote_id}", ["line", "days", "amount"], [*lines, *sums], right=["days", "amount"])
    console.print(
        f"If paid now the license is updated by {moment(quote.promise_at, zone)} ({zone}). "
        f"The quote holds until {moment(quote.lapses_at, zone)}."
    )


def _days(days: int | None, term_days: int | None) -> str:
    return "" if days is None else f"{days}/{term_days}"
