"""Webhooks: the addresses that are told what happens, and having them told again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, short, table
from db import webhook_outbox
from db import webhooks as rows
from db.webhooks import Added, Standing, UnknownEndpoint
from domain.announcements import KINDS, NotAnEndpoint, check_endpoint

Endpoint = Annotated[
    str, typer.Argument(metavar="ENDPOINT", callback=short, help="The endpoint, like whe_….")
]


def webhooks(as_json: AsJson = False) -> None:
    """List the addresses that are told what happens, and how each fares.

    Example: evergreen webhooks
    """

    async def command() -> list[Standing]:
        async with running.database(running.settings()) as sessions, sessions() as session:
            return await rows.listing(session)

    found = running.run(command)
    if as_json:
        document([_as_document(standing) for standing in found])
    elif not found:
        console.print("Nobody is told. `evergreen webhook-add` adds an address.")
    else:
        table(
            f"{len(found)} endpoints",
            ["endpoint", "address", "told of", "waiting", "given up", "state"],
            [
                (
                    standing.endpoint.id,
                    standing.endpoint.url,
                    ", ".join(standing.endpoint.kinds) or "everything",
                    standing.waiting,
                    standing.given_up,
                    _state(standing),
                )
                for standing in found
            ],
            right=["waiting", "given up"],
        )


def webhook_add(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where events are posted: https, unless it is this machine.")
    ],
    kind: Annotated[
        list[str], typer.Option(help=f"Tell of this kind only, as often as needed: {', '.join(KINDS)}.")
    ] = [],  # noqa: B006 — typer's way to say that none need be given
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Have an address told what happens. The secret that signs what it is told is shown once.

    Example: evergreen webhook-add https://billing.example.com/evergreen --kind subscription.renewed
    """
    if unknown := [word for word in kind if word not in KINDS]:
        raise typer.BadParameter(f"{unknown[0]!r} is none: {', '.join(KINDS)}", param_hint="--kind")
    try:
        check_endpoint(url)
    except NotAnEndpoint as wrong:
        raise typer.BadParameter(str(wrong), param_hint="URL") from wrong

    async def command() -> Added:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions.begin() as session:
            return await rows.add(session, settings.key_ring(), url, kind, by, datetime.now(UTC))

    added = running.run(command)
    if as_json:
        document({"endpoint": added.id, "secret": added.secret, "kinds": kind})
    else:
        console.print(added.secret, markup=False, highlight=False, soft_wrap=True)
        console.print(f"Added {added.id}. Keep the secret now: it is not shown again.")


def webhook_remove(endpoint: Endpoint, by: By = "staff", as_json: AsJson = False) -> None:
    """Tell an address nothing more.

    Example: evergreen webhook-remove whe_01kb2v3x5y7z9a1c3e5g7j9m1p --by support:jo
    """

    async def command() -> None:
        async with running.database(running.settings()) as sessions, sessions.begin() as session:
            with _known():
                await rows.remove(session, endpoint, by, datetime.now(UTC))

    running.run(command)
    if as_json:
        document({"endpoint": endpoint, "state": "removed"})
    else:
        console.print(f"Removed {endpoint}.", markup=False)


def webhook_replay(
    endpoint: Endpoint,
    event: Annotated[str, typer.Option(callback=short, help="Only this event, delivered or not.")] = "",
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="All since this day (UTC), delivered or not."),
    ] = None,
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Send events to an address again: all that it missed, or those that are named. A disabled one is enabled.

    Example: evergreen webhook-replay whe_01kb2v3x5y7z9a1c3e5g7j9m1p --since 2027-08-01
    """

    async def command() -> int:
        async with running.database(running.settings()) as sessions, sessions.begin() as session:
            with _known():
                return await webhook_outbox.replay(
                    session,
                    endpoint,
                    by,
                    datetime.now(UTC),
                    event_id=event or None,
                    since=since.replace(tzinfo=UTC) if since else None,
                )

    count = running.run(command)
    if as_json:
        document({"endpoint": endpoint, "events": count})
    else:
        console.print(f"{count} events are sent to {endpoint} again.", markup=False)


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except UnknownEndpoint as unknown:
        raise Refused(str(unknown)) from unknown


def _state(standing: Standing) -> str:
    endpoint = standing.endpoint
    if endpoint.disabled_at is not None:
        return f"disabled since {endpoint.disabled_at:%Y-%m-%d}"
    if endpoint.failing_since is not None:
        return f"fails since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC"
    return "works"


def _as_document(standing: Standing) -> dict[str, object]:
    endpoint = standing.endpoint
    return {
        "endpoint": endpoint.id,
        "url": endpoint.url,
        "kinds": endpoint.kinds,
        "waiting": standing.waiting,
        "given_up": standing.given_up,
        "failing_since": endpoint.failing_since,
        "disabled_at": endpoint.disabled_at,
    }
