"""The book as files for the import, and as the vendor knows it; the import itself."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.service import RPCError

from chaos.plan import License
from commands.intake import take
from commands.license_files import checked_file
from commands.screen import console
from config import Settings

PATIENCE_SECONDS = 600.0


def write(file: Path, licenses: Sequence[License]) -> None:
    """An import file (R26)."""
    rows = [_row(one) for one in licenses]
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


async def register(http: httpx.AsyncClient, vendor_url: str, licenses: Sequence[License]) -> None:
    """Have the vendor know the licenses; those it knows stay as they are. Waits while it is away."""
    known = [
        {
            "license_key": one.key,
            "product": one.product,
            "edition": one.edition,
            "size": one.size,
            "addons": list(one.addons),
            "expires_on": one.expires_on,
        }
        for one in licenses
    ]
    while True:
        try:
            answer = await http.post(f"{vendor_url}/sandbox/licenses", json=known)
        except httpx.TransportError:
            await asyncio.sleep(0.3)
            continue
        answer.raise_for_status()
        return


async def imported(
    file: Path, settings: Settings, sessions: async_sessionmaker[AsyncSession], client: Client
) -> dict[str, int]:
    """Import as the command does, again until it says that all rows are there; a server may be away meanwhile (R26)."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            checked = checked_file(file, settings, datetime.now(UTC).date(), show=False)
            if checked.problems:
                raise RuntimeError(f"the import refuses the book: {checked.problems}")
            loud, console.quiet = console.quiet, True  # its progress bars would mix with ours
            try:
                counts = await take(checked, settings, sessions, client, "staff:chaos", datetime.now(UTC))
            except (RPCError, DBAPIError, OSError):
                await asyncio.sleep(0.5)
                continue
            finally:
                console.quiet = loud
            return {"taken": counts.taken, "unchanged": counts.unchanged, "flagged": counts.flagged}


def _row(one: License) -> dict[str, str]:
    return {
        "customer_email": one.email,
        "customer_name": f"Customer {one.email[9:14]}",
        "country": one.country,
        "currency": one.currency,
        "license_key": one.key,
        "product": one.product,
        "edition": one.edition,
        "size": one.size,
        "addons": ";".join(one.addons),
        "expires_on": one.expires_on,
        "renews_on": one.renews_on,
        "opening_credit": one.opening_credit,
        "previous_customer": "yes" if one.previous_customer else "no",
        "card_token": one.card_token,
    }
