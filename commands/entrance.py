"""Ways into the portal without a mail: for a demonstration, and for staff whose mail is down."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, short
from db import audit, sign_in_links
from db.sign_in_links import Issued, Role
from sandbox.holder import Addresses


def sign_in_link(
    email: Annotated[
        str, typer.Argument(metavar="EMAIL", callback=short, help="A customer's, or one of staff.")
    ],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Make a link that signs somebody in to the portal once, within fifteen minutes; for when mail does not work.

    Example: evergreen sign-in-link jo@example.com --by ops:al
    """

    async def command() -> tuple[str, Issued]:
        settings = running.settings()
        async with running.database(settings) as sessions, sessions.begin() as session:
            issued = await _link(session, email, settings.staff, by)
        if issued is None:
            raise Refused("nobody has this address: no customer, and nobody in EVERGREEN_STAFF")
        return settings.portal_url.rstrip("/"), issued

    portal_url, issued = running.run(command)
    link = f"{portal_url}{issued.path}"
    if as_json:
        document({"link": link, "lapses_at": issued.lapses_at})
    else:
        console.print(link, soft_wrap=True, markup=False)
        console.print(f"It works once, until {issued.lapses_at:%Y-%m-%d %H:%M} UTC.")


async def show_entrances(addresses: Addresses) -> None:
    """Print where an embedded stack's portal is, and links that sign in a customer and one of the support staff."""
    settings = running.settings()
    portal = addresses.urls["portal"]
    console.print(f"[bold]portal[/]       {portal}")
    async with running.database(settings) as sessions, sessions.begin() as session:
        customer = await sign_in_links.some_customer(session)
        support = next((email for email, role in settings.staff.items() if role == "support"), None)
        for who, email in (("customer", customer), ("support", support)):
            issued = await _link(session, email, settings.staff, "stack") if email else None
            if issued is not None:
                console.print(f"  {who:<10} {portal}{issued.path}", soft_wrap=True, highlight=False)
    if customer is None:
        console.print("  There is no customer yet: import some, then `evergreen sign-in-link EMAIL`.")


async def _link(session: AsyncSession, email: str, staff: dict[str, Role], by: str) -> Issued | None:
    """A link for whoever has the address, written down; None if nobody has."""
    now = datetime.now(UTC)
    person = await sign_in_links.person_of(session, email, staff)
    if person is None:
        return None
    issued = await sign_in_links.issue(session, person, now)
    subject = person.customer_id or email
    await audit.record(session, actor=by, action="make_sign_in_link", subject=subject, at=now)
    return issued
