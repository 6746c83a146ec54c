"""Tokens of programs that use the API: made, listed, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, short, table
from db import api_tokens
from db.api_tokens import SCOPES, Made, NameTaken, UnknownToken
from db.models.api import ApiToken
from domain.local_time import end_of


def token_create(
    name: Annotated[str, typer.Option(callback=short, help="Which program it is for, like billing.")],
    scope: Annotated[
        list[str], typer.Option(help=f"What it may do, as often as needed: {', '.join(SCOPES)}.")
    ],
    expires_on: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day on which it can be used.")
    ],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Make a token for a program that uses the API. It is shown once: only its digest is kept.

    Example: evergreen token-create --name billing --scope read --scope subscriptions:write --expires-on 2028-01-31
    """
    if unknown := [word for word in scope if word not in SCOPES]:
        raise typer.BadParameter(f"{unknown[0]!r} is none: {', '.join(SCOPES)}", param_hint="--scope")
    if not name.strip():
        raise typer.BadParameter("say which program it is for", param_hint="--name")

    async def command() -> Made:
        settings, now = running.settings(), datetime.now(UTC)
        expires_at = end_of(expires_on.date(), settings.zone)
        if expires_at <= now:
            raise running.BadInput(f"--expires-on: {expires_on:%Y-%m-%d} is over. Give a day to come.")
        async with running.database(settings) as sessions, sessions.begin() as session:
            try:
                return await api_tokens.make(session, name.strip(), scope, expires_at, by, now)
            except NameTaken as taken:
                raise Refused(str(taken)) from taken

    made = running.run(command)
    if as_json:
        document({"id": made.id, "token": made.token, "scopes": scope, "expires_on": expires_on.date()})
    else:
        console.print(made.token, markup=False, highlight=False, soft_wrap=True)
        console.print(f"Made {made.id}. Keep the token now: it is not shown again.")


def tokens(
    everything: Annotated[bool, typer.Option("--all", help="Revoked ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the API's tokens, newest first: what each may do, until when, and when it was last used.

    Example: evergreen tokens
    """

    async def command() -> Sequence[ApiToken]:
        async with running.database(running.settings()) as sessions, sessions() as session:
            return await api_tokens.listing(session, everything)

    found = running.run(command)
    if as_json:
        document(
            [
                {
                    "id": row.id,
                    "name": row.name,
                    "scopes": row.scopes,
                    "created_by": row.created_by,
                    "at": row.at,
                    "expires_at": row.expires_at,
                    "used_at": row.used_at,
                    "revoked_at": row.revoked_at,
                }
                for row in found
            ]
        )
    elif not found:
        console.print("There is no token. `evergreen token-create` makes one.")
    else:
        table(
            f"{len(found)} tokens",
            ["token", "name", "scopes", "last day", "last used", "state"],
            [
                (
                    row.id,
                    row.name,
                    ", ".join(row.scopes),
                    f"{row.expires_at - timedelta(seconds=1):%Y-%m-%d}",
                    row.used_at and f"{row.used_at:%Y-%m-%d %H:%M} UTC",
                    _state(row),
                )
                for row in found
            ],
        )


def token_revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN", callback=short, help="Its id or its name.")],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Let a token be of no use any more, from its next request on.

    Example: evergreen token-revoke billing --by support:jo
    """

    async def command() -> str:
        async with running.database(running.settings()) as sessions, sessions.begin() as session:
            try:
                return await api_tokens.revoke(session, token, by, datetime.now(UTC))
            except UnknownToken as unknown:
                raise Refused(str(unknown)) from unknown

    revoked = running.run(command)
    if as_json:
        document({"id": revoked, "state": "revoked"})
    else:
        console.print(f"Revoked {revoked}.", markup=False)


def _state(row: ApiToken) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at <= datetime.now(UTC) else "in use"
