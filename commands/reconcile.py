"""Reconciling by hand: what differs between our tables, Temporal, vendor and payment provider, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

import starter
from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, moment, short, table
from db import differences
from db.differences import UnknownDifference
from db.models.difference import DifferenceRecord
from domain.differences import ADVICE, Kind
from domain.reconciliation import Reconciled


def reconcile(
    accept: Annotated[
        str, typer.Option(callback=short, help="Say of this difference that it was looked at and may stay.")
    ] = "",
    reason: Annotated[str, typer.Option(callback=short, help="Why it may stay, for the audit.")] = "",
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Compare tables, Temporal, vendor and payment provider; heal what is safe, list the rest; trial balance.

    Exit code 1: something needs a person. 3: a server did not answer, so not everything was compared.

    Example: evergreen reconcile

    Example: evergreen reconcile --accept dif_01kb2v3x5y7z9a1c3e5g7j9m1p --reason "paid by phone" --by support:jo
    """
    if accept:
        _accept(accept, reason, by, as_json)
    else:
        _compare(as_json)


def _compare(as_json: bool) -> None:
    async def command() -> tuple[Reconciled, Sequence[DifferenceRecord], str]:
        settings = running.settings()
        result = await starter.reconcile(await running.temporal())
        async with running.database(settings) as sessions, sessions() as session:
            return result, await differences.listing(session, result.began_at), settings.zone

    result, found, zone = running.run(command)
    if as_json:
        document({**result.model_dump(mode="json"), "differences": [_as_document(one) for one in found]})
    else:
        _show(result, found, zone)
    if result.open:
        raise typer.Exit(1)
    if result.unchecked:
        raise typer.Exit(3)


def _accept(difference_id: str, reason: str, by: str, as_json: bool) -> None:
    async def command() -> None:
        async with running.database(running.settings()) as sessions, sessions.begin() as session:
            try:
                await differences.accept(session, difference_id, by, reason, datetime.now(UTC))
            except UnknownDifference as unknown:
                raise Refused(str(unknown)) from unknown

    running.run(command)
    if as_json:
        document({"difference": difference_id, "accepted_by": by})
    else:
        console.print(f"{difference_id} may stay: it is not reported any more.")


def _show(result: Reconciled, found: Sequence[DifferenceRecord], zone: str) -> None:
    compared = ", ".join(f"{number} {stage}" for stage, number in result.checked.items())
    if found:
        table(
            f"{len(found)} differences: {result.healed} healed, {result.open} for a person",
            ["difference", "what", "about", "since", "facts", "what to do"],
            [_row(one, zone) for one in sorted(found, key=lambda one: one.kind)],
        )
    else:
        console.print("Nothing differs.")
    console.print(f"Compared: {compared}.")
    for stage in result.unchecked:
        console.print(f"[bold red]Not compared: {stage}[/] (no answer; the workflow's history says why)")


def _row(one: DifferenceRecord, zone: str) -> tuple[object, ...]:
    facts = "; ".join(f"{name}: {value}" for name, value in one.details.items())
    to_do = "nothing, it is healed" if one.healed_at else ADVICE[Kind(one.kind)]
    return (one.id, one.kind.replace("_", " "), one.subject, moment(one.first_seen_at, zone), facts, to_do)


def _as_document(one: DifferenceRecord) -> dict[str, Any]:
    return {
        "difference": one.id,
        "kind": one.kind,
        "subject": one.subject,
        "details": one.details,
        "first_seen_at": one.first_seen_at,
        "last_seen_at": one.last_seen_at,
        "healed_at": one.healed_at,
        "to_do": None if one.healed_at else ADVICE[Kind(one.kind)],
    }
