"""Why a subscription is as it is, and what happens next, as one timeline; and receipts of its cancellations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from commands import running
from commands.running import Refused
from commands.screen import AsJson, console, document, moment, table
from commands.subscriptions import Which, one, status_of
from config import Settings
from db import explanations, grants, orders
from db.license_keys import masked
from db.life import life_of
from db.subscriptions import Held
from domain import credits, explanation, pricing
from domain.explanation import Line
from domain.messages import Life, State, Status
from domain.not_offered import NotOffered
from papers import receipt as receipts


@dataclass(frozen=True)
class Explained:
    """Both halves of the timeline, and the signed receipts."""

    held: Held
    past: list[Line]
    future: list[Line]
    from_workflow: bool
    """Whether what is to come is the workflow's own plan; else it is reckoned from our rows."""
    receipts: list[dict[str, Any]]


def explain(
    subscription: Which,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", help="Write the signed receipt of the last cancellation here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain a subscription: why it is as it is, and what happens next, each line with its rule and reason.

    What is to come is the workflow's own plan; when Temporal is away it is reckoned from what we have written down.

    Example: evergreen explain 7K2P --receipt receipt.json
    """
    settings = running.settings()

    async def command() -> Explained:
        async with running.database(settings) as sessions, sessions() as session:
            held = await one(session, subscription)
            return await explained(session, held, settings, await status_of(held.subscription.id))

    told = running.run(command)
    if receipt is not None:
        _write(receipt, told)
    if as_json:
        document(_document(told))
    else:
        _show(told, settings.zone)


async def explained(
    session: AsyncSession, held: Held, settings: Settings, status: Status | None
) -> Explained:
    """All lines about a subscription, as of now."""
    now = datetime.now(UTC)
    life = _life(held, settings, status)
    past = await explanations.past(session, held)
    future = explanation.coming(life, now, await _price(session, held, settings, life))
    signed = []
    if (keys := settings.receipt_signing_keys()) is not None:
        for decision in await explanations.decisions(session, held.subscription.id):
            license = f"{held.title} {masked(held.license.last_four)}"
            said = receipts.receipt(decision, held.subscription.id, license, settings.zone, settings.business)
            signed.append(keys.sign(said))
    return Explained(held, past, future, status is not None, signed)


def _life(held: Held, settings: Settings, status: Status | None) -> Life:
    """Where it stands: as its workflow says, else as our rows do."""
    life = life_of(held, settings.policy())
    if status is None:
        return life
    return life.model_copy(
        update={
            "term": status.term,
            "plan": status.plan,
            "state": status.state,
            "auto_renew": status.auto_renew,
            "ends_after_next": status.ends_after_next,
            "promise_at": status.promise_at,
            "promise_broken": status.promise_broken,
            "failure": status.last_failure,
            "open_orders": status.open_orders,
        }
    )


async def _price(
    session: AsyncSession, held: Held, settings: Settings, life: Life
) -> tuple[int, int, str] | None:
    """What the coming renewal costs, and what credits will pay of it; None when there is none, or no price."""
    if life.state != State.ACTIVE:
        return None
    currency, on = held.subscription.currency, life.plan.renews_on
    waiting = Held(
        held.subscription,
        held.license,
        held.customer,
        await orders.paid_changes(session, held.subscription.id),
    )
    try:
        bill = pricing.renewal_bill(
            settings.price_list(),
            waiting.item_at_renewal,
            currency,
            held.customer.country,
            loyal=True,
            on=on,
        )
    except NotOffered:
        return None
    usable = await grants.usable_grants(session, held.customer.id, currency, on, lock=False)
    used_minor = sum(use.amount_minor for use in credits.allocate(usable, bill.total_minor, on))
    return bill.total_minor, used_minor, currency


def _write(path: Path, told: Explained) -> None:
    if not told.receipts:
        running.run(_no_receipt)
    path.write_text(json.dumps(told.receipts[-1], indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


async def _no_receipt() -> None:
    raise Refused("there is no receipt: nothing was cancelled, or EVERGREEN_RECEIPT_KEYS is not set")


def _document(told: Explained) -> dict[str, Any]:
    return {
        "subscription": told.held.subscription.id,
        "past": [line.as_document() for line in told.past],
        "future": [line.as_document() for line in told.future],
        "future_from": "workflow" if told.from_workflow else "rows",
        "receipts": told.receipts,
    }


def _show(told: Explained, zone: str) -> None:
    def rows(lines: list[Line]) -> list[tuple[object, ...]]:
        return [(moment(line.at, zone), line.what, line.rule, line.why, line.by) for line in lines]

    columns = ["when", "what", "rule", "why", "by"]
    row = told.held.subscription
    table(f"{row.id}: {told.held.title} {masked(told.held.license.last_four)}", columns, rows(told.past))
    source = (
        "by the workflow's own plan" if told.from_workflow else "from our rows, for Temporal does not answer"
    )
    if told.future:
        table(f"What happens next, {source}", columns[:4], [line[:4] for line in rows(told.future)])
    else:
        console.print("Nothing more will happen.")
    for signed in told.receipts:
        said = signed["receipt"]
        console.print(
            f"Cancellation received {said['received_at']}, cut-off {said['cut_off_at']}: "
            f"{receipts.by_how_much(said)}, {said['outcome']}."
        )
