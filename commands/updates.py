"""License updates that are owed (R23): the queue, soonest promise first, and how the promises were kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, moment, short, table
from config import Settings
from db import update_queue
from db.license_keys import masked
from db.update_queue import Month, QueuedUpdate, UnknownUpdate
from domain.catalogue import Catalogue
from domain.local_time import local_date
from domain.money import share
from domain.pricing import ALL_BP, percent
from reception.update_words import product_code, to_do


@dataclass(frozen=True)
class Queue:
    """What is owed, and what is needed to show it."""

    owed: list[QueuedUpdate]
    catalogue: Catalogue
    zone: str
    warning: str | None
    """The calendar by which promises are made is about to end."""


def updates(
    late: Annotated[bool, typer.Option("--late", help="Only those past their promise time.")] = False,
    reveal: Annotated[
        str, typer.Option(callback=short, help="Show the whole license key of this update; it is audited.")
    ] = "",
    shares: Annotated[
        bool, typer.Option("--share", help="The share of promises kept, month by month, instead.")
    ] = False,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """List the license updates that are owed, by hand and by API, soonest promise first, with all that one needs.

    Example: evergreen updates --late

    Example: evergreen updates --reveal upd_01kb2v3x5y7z9a1c3e5g7j9m1p --by support:jo
    """
    if reveal:
        _reveal(reveal, by, as_json)
    elif shares:
        _share(as_json)
    else:
        _queue(late, as_json)


def _queue(late_only: bool, as_json: bool) -> None:
    async def command() -> Queue:
        settings, now = running.settings(), datetime.now(UTC)
        async with running.database(settings) as sessions, sessions() as session:
            owed = await update_queue.queue(session, now, late_only)
        return Queue(owed, settings.price_list(), settings.zone, _warning(settings, now))

    found = running.run(command)
    if as_json:
        document(
            {
                "updates": [_as_document(one, found.catalogue) for one in found.owed],
                "warnings": [] if found.warning is None else [found.warning],
            }
        )
        return
    if found.owed:
        table(
            f"{len(found.owed)} license updates are owed",
            ["promised by", "update", "how", "customer", "product code", "key", "what to do"],
            [_row(one, found) for one in found.owed],
        )
    else:
        console.print("No license update is owed" + (" past its promise time." if late_only else "."))
    if found.warning is not None:
        console.print(f"Attention: {found.warning}.", markup=False)


def _reveal(update_id: str, by: str, as_json: bool) -> None:
    async def command() -> str:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions.begin() as session:
            try:
                return await update_queue.reveal(
                    session, settings.key_ring(), update_id, by, datetime.now(UTC)
                )
            except UnknownUpdate as unknown:
                raise Refused(str(unknown)) from unknown

    license_key = running.run(command)
    if as_json:
        document({"update": update_id, "license_key": license_key})
    else:
        console.print(license_key, markup=False, highlight=False, soft_wrap=True)


def _share(as_json: bool) -> None:
    async def command() -> list[Month]:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            return await update_queue.promises(session, settings.zone, datetime.now(UTC))

    months = running.run(command)
    if as_json:
        document([{**_counts(month), "kept_bp": _kept_bp(month)} for month in months])
    elif not months:
        console.print("No promise was made yet.")
    else:
        columns = ["month", "share kept", "kept", "broken", "refused", "still owed"]
        rows = [
            (month.month, _kept_share(month), month.kept, month.broken, month.refused, month.owed)
            for month in months
        ]
        table("Promises, by the month in which they fell due", columns, rows, columns[1:])


def _warning(settings: Settings, now: datetime) -> str | None:
    return settings.working_days().warning(local_date(now, settings.zone))


def _counts(month: Month) -> dict[str, Any]:
    return {
        "month": month.month,
        "kept": month.kept,
        "broken": month.broken,
        "refused": month.refused,
        "owed": month.owed,
    }


def _kept_bp(month: Month) -> int | None:
    """Basis points of the promises that were kept, of those that were kept or broken."""
    decided = month.kept + month.broken
    return share(ALL_BP, month.kept, decided) if decided else None


def _kept_share(month: Month) -> str:
    kept_bp = _kept_bp(month)
    return "" if kept_bp is None else percent(kept_bp)


def _row(update: QueuedUpdate, found: Queue) -> tuple[object, ...]:
    return (
        moment(update.promise_at, found.zone) + (" LATE" if update.late else ""),
        update.update_id,
        update.channel.replace("_", " "),
        update.customer_name,
        product_code(update, found.catalogue),
        masked(update.last_four),
        "; ".join(to_do(update)),
    )


def _as_document(update: QueuedUpdate, catalogue: Catalogue) -> dict[str, Any]:
    wanted = update.wanted
    return {
        "update": update.update_id,
        "order": update.order_id,
        "kind": update.kind,
        "channel": update.channel,
        "promise_at": update.promise_at,
        "paid_at": update.paid_at,
        "late": update.late,
        "subscription": update.subscription_id,
        "customer": update.customer_id,
        "customer_name": update.customer_name,
        "license_key": masked(update.last_four),
        "product_code": product_code(update, catalogue),
        "product": update.product,
        "now": {"edition": update.edition, "size": update.size, "addons": list(update.has)},
        "wanted": {"edition": wanted.edition, "size": wanted.size, "addons": list(wanted.addons)},
        "from_expires_on": wanted.from_expires_on,
        "to_expires_on": wanted.to_expires_on,
        "add": list(update.to_add),
        "drop": list(wanted.dropped),
    }
