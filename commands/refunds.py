"""Giving back an invoice, or part of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

import starter
from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document
from db import invoices
from db.invoices import UnknownInvoice
from domain.money import NotMoney, parse_minor
from domain.tasks import CardRefunds, RefundRequest
from starter import RefusedByRule


def refund(
    invoice: Annotated[
        str, typer.Argument(metavar="INVOICE", help="The invoice's number, like INV-2027-000012.")
    ],
    reference: Annotated[
        str,
        typer.Option(
            help="Tells this refund from another of the invoice; the same again gives back nothing."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, for the customer and the audit.")],
    amount: Annotated[
        str | None, typer.Option(help="How much, written 20.00; without it all that is left.")
    ] = None,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Give back an invoice or part of it: the card's part to the card first, then credits to their grants (R20).

    Example: evergreen refund INV-2027-000012 --amount 20.00 --reference case-17 --reason "slow update" --by support:jo
    """

    async def command() -> CardRefunds:
        async with running.database(running.settings()) as sessions, sessions() as session:
            try:
                found = await invoices.by_number(session, invoice)
            except UnknownInvoice as unknown:
                raise Refused(str(unknown)) from unknown
        try:
            amount_minor = None if amount is None else parse_minor(amount, found.currency)
        except NotMoney as wrong:
            raise running.BadInput(f"--amount: {wrong}") from wrong
        request = RefundRequest(
            invoice=found.number,
            amount_minor=amount_minor,
            reference=reference,
            by=by,
            reason=reason,
            at=datetime.now(UTC),
        )
        try:
            return await starter.refund(await running.temporal(), request)
        except RefusedByRule as no:
            raise Refused(str(no)) from no

    done = running.run(command)
    if as_json:
        document({"invoice": invoice, "card_refunds": list(done.payment_ids)})
    else:
        console.print(
            f"Given back; {len(done.payment_ids)} card refunds carried out. See `evergreen invoice {invoice}`."
        )
