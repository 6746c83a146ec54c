"""Orders between renewals: paying one, what becomes smaller at the renewal, and how the answer is shown."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

import typer
from rich.markup import escape

import starter
from commands import quotes, running
from commands.running import Refused, Unreachable
from commands.screen import AsJson, By, console, document, moment, short, to_errors
from commands.subscriptions import Which, one
from db import orders
from db.orders import UnknownOrder
from domain.messages import ChangeAtRenewal, OrderAnswer, OrderPaid
from starter import NotRunning, NoWorker, OrderTaken, RefusedByRule


@dataclass(frozen=True)
class Answered:
    """What came of a wish to change a license, and the zone in which its times are shown."""

    subscription_id: str
    answer: OrderAnswer | None
    zone: str


def pay(
    order: Annotated[str, typer.Argument(metavar="ORDER", callback=short, help="The order, like ord_….")],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Pay an order that waits to be paid, with the customer's credits and their saved card.

    Example: evergreen pay ord_01kb2v3x5y7z9a1c3e5g7j9m1p
    """

    async def command() -> Answered:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            try:
                subscription_id = (await orders.by_id(session, order)).subscription_id
            except UnknownOrder as unknown:
                raise Refused(str(unknown)) from unknown
        request = OrderPaid(order_id=order, by=by, request_id=str(uuid4()))
        taken = await answer_of(starter.pay(await running.temporal(), subscription_id, request))
        return Answered(subscription_id, taken.answer, settings.zone)

    report(running.run(command), as_json)


def downgrade(
    subscription: Which,
    size: Annotated[str | None, typer.Option(help="The size from the renewal on.")] = None,
    edition: Annotated[str | None, typer.Option(help="The edition from the renewal on.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Stay with the size and edition it has.")] = False,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Make a license smaller at its next renewal; until then it stays as it is.

    Example: evergreen downgrade 7K2P --size 250 --by support:jo
    """
    if keep == bool(size or edition):
        raise typer.BadParameter("say the --size or the --edition that is wanted, or --keep")

    async def command() -> Answered:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            row = (await one(session, subscription)).subscription
        request = ChangeAtRenewal(
            drop_addons=tuple(row.drop_addons),
            size=None if keep else short(size or row.next_size or "") or None,
            edition=None if keep else short(edition or row.next_edition or "") or None,
            by=by,
            request_id=str(uuid4()),
        )
        taken = await answer_of(starter.change_at_renewal(await running.temporal(), row.id, request))
        return Answered(row.id, taken.answer, settings.zone)

    report(running.run(command), as_json, "Noted: it takes effect at the next renewal.")


async def answer_of(asked: Awaitable[OrderTaken]) -> OrderTaken:
    """What the workflow answers; what keeps it from answering becomes an exit code."""
    try:
        return await asked
    except (NotRunning, RefusedByRule) as no:
        raise Refused(str(no)) from no
    except NoWorker as nobody:
        raise Unreachable(str(nobody)) from nobody


def report(answered: Answered, as_json: bool, done: str = "") -> None:
    """Show the answer; one that refuses ends the command with 1, after the reason and the new quote if there is one."""
    answer, subscription_id = answered.answer, answered.subscription_id
    if as_json:
        shown = answer.model_dump(mode="json") if answer else None
        document({"subscription": subscription_id, "answer": shown})
    elif answer is None:
        console.print(
            "It was taken up, or left with the server, and is not answered yet. "
            f"`evergreen show {subscription_id}` tells what came of it."
        )
    elif answer.outcome == "accepted":
        console.print(_accepted(answer, answered.zone) or done)
    if answer is not None and answer.outcome == "refused":
        to_errors.print(f"[bold red]evergreen:[/] {escape(answer.reason)}")
        if answer.quote is not None and not as_json:
            console.print("This is what it costs now:")
            quotes.show(answer.quote, answered.zone)
        raise typer.Exit(1)


def _accepted(answer: OrderAnswer, zone: str) -> str:
    if answer.paid is None:
        return ""
    return (
        f"Order [bold]{answer.order_id}[/] is paid, with invoice {answer.invoice}. "
        f"The license is updated by {moment(answer.paid.promise_at, zone)} ({zone})."
    )
