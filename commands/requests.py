"""Requests of customers (R27): placing one as the form will, the list for staff, and declining one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from commands import running
from commands.given import KEY_HELP, key_of, worded
from commands.running import BadInput, Refused
from commands.screen import AsJson, By, console, document, moment, short, table
from commands.subscriptions import one
from db import request_decisions
from db import requests as rows
from db.license_keys import masked
from db.requests import Listed, Placing, RequestRefused, UnknownRequest
from domain.request_form import Form, Kind, check_form

KINDS: dict[str, Kind] = {
    "add-key": "add_key",
    "upgrade": "upgrade",
    "downgrade": "downgrade",
    "other": "other",
}
WORDS: dict[str, str] = {kind: word for word, kind in KINDS.items()}

EXCERPT = 60
"""So much of a text is shown in the list; --json gives all of it."""

Request = Annotated[str, typer.Argument(metavar="REQUEST", callback=short, help="The request, like req_….")]


def request(
    kind: Annotated[
        Literal["add-key", "upgrade", "downgrade", "other"], typer.Argument(help="What is asked for.")
    ],
    email: Annotated[str, typer.Option(help="The customer's e-mail address; the answer goes there.")],
    name: Annotated[str, typer.Option(help="The customer's name.")] = "",
    country: Annotated[str, typer.Option(help="The customer's country, like GB.")] = "",
    currency: Annotated[str, typer.Option(help="ISO currency in which they want to pay.")] = "",
    license_key: Annotated[str, typer.Option(help=KEY_HELP)] = "",
    product: Annotated[str, typer.Option(help="As the catalogue names it, like SmarterMail.")] = "",
    edition: Annotated[str, typer.Option(help="Professional or Enterprise.")] = "",
    size: Annotated[str, typer.Option(help="As the catalogue names it, like 250.")] = "",
    addons: Annotated[str, typer.Option(help="Names, separated by semicolons.")] = "",
    expires_on: Annotated[str, typer.Option(help="Last covered day, like 2027-08-31.")] = "",
    subscription: Annotated[
        str, typer.Option(help="The one that is to be changed: its id, or the last four of its license key.")
    ] = "",
    text: Annotated[str, typer.Option(help="What is wanted, in the customer's own words.")] = "",
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Place a request, as the request form does: a key to be added, another size or edition, or something else.

    Staff accept or decline it; the customer is told by e-mail.

    Example: evergreen request add-key --email jo@example.com --name "Jo Pine" --country GB --license-key - < key.txt

    Example: evergreen request upgrade --email jo@example.com --subscription 7K2P --size 500
    """
    given = {
        "customer_email": email,
        "customer_name": name,
        "country": country,
        "currency": currency,
        "license_key": key_of(license_key),
        "product": product,
        "edition": edition,
        "size": size,
        "addons": addons,
        "expires_on": expires_on,
        "text": text,
    }

    async def command() -> str:
        settings = running.settings()
        placing = Placing(by, datetime.now(UTC), settings.key_ring(), settings.country)
        async with running.database(settings) as sessions, sessions.begin() as session:
            if subscription:
                given["subscription"] = (await one(session, subscription)).subscription.id
            form = check_form(KINDS[kind], given, settings.price_list())
            if not isinstance(form, Form):
                raise BadInput(f"{worded(form)}\nNothing was placed.")
            try:
                return (await rows.place(session, placing, form)).id
            except RequestRefused as no:
                raise Refused(f"{no}. Nothing was placed.") from no

    request_id = running.run(command)
    if as_json:
        document({"request": request_id, "kind": kind})
    else:
        console.print(f"Placed as [bold]{request_id}[/]. Staff accept or decline it.")


def list_requests(
    everything: Annotated[bool, typer.Option("--all", help="Decided ones too, latest first.")] = False,
    reveal: Annotated[
        str,
        typer.Option(callback=short, help="Show the whole license key of this open request; it is audited."),
    ] = "",
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """List the requests that wait for a decision, oldest first.

    Example: evergreen requests --all
    """
    if reveal:
        _reveal(reveal, by, as_json)
        return

    async def command() -> tuple[list[Listed], str]:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions() as session:
            return await rows.listing(session, everything), settings.zone

    found, zone = running.run(command)
    if as_json:
        document([_as_document(listed) for listed in found])
    elif not found:
        console.print("There is no request." if everything else "No request waits for a decision.")
    else:
        table(
            f"{len(found)} requests",
            ["request", "placed", "asks for", "customer", "about", "says", "state"],
            [_row(listed, zone) for listed in found],
        )


def decline(
    request: Request,
    reason: Annotated[str, typer.Option(callback=short, help="Why; the customer reads it.")],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Decline a request; the customer is told why.

    Example: evergreen decline req_01kb2v3x5y7z9a1c3e5g7j9m1p --reason "The key is not yours." --by support:jo
    """
    if not reason.strip():
        raise typer.BadParameter("say why: the customer reads it", param_hint="--reason")

    async def declined(session: AsyncSession) -> None:
        at = datetime.now(UTC)
        await request_decisions.decide(session, request, "declined", by, at, reason.strip())

    running.run(lambda: in_a_transaction(declined))
    if as_json:
        document({"request": request, "state": "declined"})
    else:
        console.print(f"Declined {request}; the customer is told.", markup=False)


async def in_a_transaction(step: Callable[[AsyncSession], Any]) -> Any:
    """Do one step on requests; what speaks against it becomes the exit code."""
    async with running.database(running.settings()) as sessions, sessions.begin() as session:
        try:
            return await step(session)
        except (RequestRefused, UnknownRequest) as no:
            raise Refused(str(no)) from no


def _reveal(request_id: str, by: str, as_json: bool) -> None:
    async def revealed(session: AsyncSession) -> str | None:
        ring = running.settings().key_ring()
        return await rows.reveal(session, ring, request_id, by, datetime.now(UTC))

    license_key: str | None = running.run(lambda: in_a_transaction(revealed))
    if as_json:
        document({"request": request_id, "license_key": license_key})
    elif license_key is None:
        console.print("This request has no license key, or is decided and has none any more.")
    else:
        console.print(license_key, markup=False, highlight=False, soft_wrap=True)


def _row(listed: Listed, zone: str) -> tuple[object, ...]:
    found = listed.request
    text = " ".join(found.text.split())
    return (
        found.id,
        moment(found.at, zone),
        WORDS[found.kind],
        f"{listed.customer.name} <{found.email}>",
        _about(listed),
        text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…",
        found.state + (f" by {found.decided_by}" if found.decided_by else "") + _hanging(listed),
    )


def _hanging(listed: Listed) -> str:
    found = listed.request
    return "" if found.state == "open" or request_decisions.is_concluded(found) else ", not carried out yet"


def _about(listed: Listed) -> str:
    """What was filled in of the license, and what was left out is for staff to find out."""
    found, details = listed.request, listed.request.details
    stated = [details.get(column, "") for column in ("product", "edition", "size", "addons", "expires_on")]
    key = f"key {masked(details['last_four'])}" if "last_four" in details else ""
    return ", ".join(part for part in (found.subscription_id or "", *stated, key) if part)


def _as_document(listed: Listed) -> dict[str, Any]:
    """A request as JSON; the key is masked (R28)."""
    found, details = listed.request, dict(listed.request.details)
    ends = details.pop("last_four", None)
    chosen, outcome = details.pop("chosen", None), details.pop("outcome", None)
    return {
        "request": found.id,
        "kind": WORDS[found.kind],
        "state": found.state,
        "at": found.at,
        "email": found.email,
        "customer": listed.customer.id,
        "subscription": found.subscription_id,
        "license_key": masked(ends) if ends else None,
        "stated": details,
        "text": found.text,
        "decided_by": found.decided_by,
        "decided_at": found.decided_at,
        "reason": found.reason,
        "accepted": chosen,
        "outcome": outcome,
    }
