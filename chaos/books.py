"""The book as files for the import, and as the vendor knows it; the import itself, by the command."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from chaos.plan import License

ROOT = Path(__file__).parent.parent
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


async def imported(file: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Run the command until it has said that all rows are there; what it said. A server may be away meanwhile."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            command = await asyncio.create_subprocess_exec(
                sys.executable,
                "starter.py",
                *("import", str(file), "--by", "staff:chaos", "--json"),
                cwd=ROOT,
                env=dict(variables),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            said, complaint = await command.communicate()
            if command.returncode == 0:
                document: dict[str, Any] = json.loads(said)
                return {name: document[name] for name in ("good", "taken", "unchanged", "flagged", "refused")}
            if command.returncode == 2:
                raise RuntimeError(f"the import refuses the book: {said.decode()} {complaint.decode()}")
            await asyncio.sleep(0.5)


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
