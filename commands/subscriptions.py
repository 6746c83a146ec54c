"""Subscriptions: which there are, one of them, cancel, resume."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client
from temporalio.service import RPCError

import starter
from commands import running
from commands.running import BadInput, Refused
from commands.screen import AsJson, By, console, document, short, table
from db import subscriptions
from db.license_keys import masked
from db.subscriptions import AmbiguousSubscription, Held, UnknownSubscription
from domain.messages import Cancel, Resume, State, Status
from starter import NotRunning, RefusedByRule, Taken

Which = Annotated[
    str, typer.Argument(metavar="SUBSCRIPTION", help="Its id, or the last four of its license key.")
]


def list_subscriptions(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's: id or e-mail address.")] = None,
    renews_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only those that renew before this date.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List subscriptions, soonest renewal first.

    Example: evergreen list --state collecting --renews-before 2027-09-01
    """

    async def command() -> list[Held]:
        before = renews_before.date() if renews_before else None
        async with running.database(running.settings()) as sessions, sessions() as session:
            return await subscriptions.listing(session, state, customer, before)

    found = running.run(command)
    if as_json:
        document([as_document(held) for held in found])
    elif not found:
        console.print("No subscription fits. `evergreen import FILE` brings some in.")
    else:
        table(
            f"{len(found)} subscriptions",
            ["subscription", "license", "key", "customer", "state", "expires", "renews"],
            [
                (
                    held.subscription.id,
                    held.title,
                    masked(held.license.last_four),
                    held.customer.name,
                    held.subscription.state,
                    held.subscription.expires_on,
                    held.subscription.next_renews_on if held.subscription.auto_renew else "–",
                )
                for held in found
            ],
        )


def show(subscription: Which, as_json: AsJson = False) -> None:
    """Show one subscription: what we know, and what its workflow says happens next.

    Example: evergreen show 7K2P
    """

    async def command() -> tuple[Held, Status | None]:
        async with running.database(running.settings()) as sessions, sessions() as session:
            held = await one(session, subscription)
        return held, await status_of(held.subscription.id)

    held, status = running.run(command)
    if as_json:
        document({**as_document(held), "workflow": status.model_dump(mode="json") if status else None})
        return
    row = held.subscription
    facts: list[tuple[str, object]] = [
        ("license", f"{held.title}, key {masked(held.license.last_four)}"),
        ("add-ons", ", ".join(held.license.addons) or "none"),
        ("customer", f"{held.customer.name} ({held.customer.id})"),
        ("state", row.state),
        ("term", f"{row.starts_on} … {row.expires_on}"),
        ("renewal date", row.next_renews_on if row.auto_renew else "will not renew"),
        ("expiry at the vendor", held.license.vendor_expires_on),
        (
            "promise",
            row.promise_at
            and f"{row.promise_at:%Y-%m-%d %H:%M} UTC{' BROKEN' if row.promise_broken else ''}",
        ),
        ("waiting because", row.failure_reason),
    ]
    if status is not None:
        facts += [("cancel by", status.plan.cancel_by), ("next", status.next_step)]
        if status.decision is not None:
            facts.append(("last decision", status.decision.sentence))
        facts += [("refused", f"{r.signal}: {r.reason}") for r in status.refusals[-3:]]
    else:
        facts.append(("workflow", "does not run, or no worker answers"))
    table(row.id, ["", ""], [fact for fact in facts if fact[1]])


def cancel(
    subscription: Which,
    reason: Annotated[str, typer.Option(callback=short, help="Why, for the audit.")] = "",
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Cancel the renewal (R7); after the cut-off this renewal goes ahead and the next expiry is the end (R8).

    Example: evergreen cancel 7K2P --reason moved --by support:jo
    """
    request = Cancel(by=by, reason=reason, request_id=str(uuid4()))
    _decide(subscription, lambda client, found: starter.cancel(client, found, request), as_json)


def resume(subscription: Which, by: By = "staff", as_json: AsJson = False) -> None:
    """Renew after all, any time before the license has expired (R9).

    Example: evergreen resume 7K2P --by support:jo
    """
    request = Resume(by=by, request_id=str(uuid4()))
    _decide(subscription, lambda client, found: starter.resume(client, found, request), as_json)


async def one(session: AsyncSession, text: str) -> Held:
    """The subscription that a person means. Raises Refused when there is none, BadInput when there are several."""
    try:
        return await subscriptions.find(session, text)
    except UnknownSubscription as unknown:
        raise Refused(str(unknown)) from unknown
    except AmbiguousSubscription as ambiguous:
        raise BadInput(str(ambiguous)) from ambiguous


def as_document(held: Held) -> dict[str, Any]:
    """A subscription as JSON; the key is masked (R28)."""
    row = held.subscription
    return {
        "subscription": row.id,
        "customer": held.customer.id,
        "license": {
            "key": masked(held.license.last_four),
            "product": held.license.product,
            "edition": held.license.edition,
            "size": held.license.size,
            "addons": held.license.addons,
            "vendor_expires_on": held.license.vendor_expires_on,
        },
        "state": row.state,
        "starts_on": row.starts_on,
        "expires_on": row.expires_on,
        "auto_renew": row.auto_renew,
        "ends_after_next": row.ends_after_next,
        "renews_on": row.next_renews_on,
        "promise_at": row.promise_at,
        "promise_broken": row.promise_broken,
        "failure_reason": row.failure_reason,
    }


async def status_of(subscription_id: str) -> Status | None:
    """Where it stands as its workflow sees it; None when that does not run or nobody answers."""
    try:
        return await starter.status(await running.temporal(), subscription_id)
    except (NotRunning, RPCError, running.Unreachable):
        return None  # `show` says so: what the tables know is shown all the same


def _decide(subscription: str, ask: Any, as_json: bool) -> None:
    async def command() -> tuple[str, Taken]:
        async with running.database(running.settings()) as sessions, sessions() as session:
            found = (await one(session, subscription)).subscription.id
        client: Client = await running.temporal()
        try:
            return found, await ask(client, found)
        except (NotRunning, RefusedByRule) as no:
            raise Refused(str(no)) from no

    found, taken = running.run(command)
    decision = taken.decision
    if as_json:
        document({"subscription": found, "decision": decision.model_dump(mode="json") if decision else None})
    elif decision is None:
        console.print(
            f"No worker answered. The request was left with the server, which has its time of receipt; "
            f"a worker will decide it. See `evergreen show {found}`."
        )
    else:
        console.print(f"[bold]{decision.outcome}[/]: {decision.sentence}")
        console.print(
            f"Received {decision.received_at:%Y-%m-%d %H:%M:%S} UTC; cancel-by was {_day(decision.cancel_by)}."
        )


def _day(day: date) -> str:
    return day.isoformat()
