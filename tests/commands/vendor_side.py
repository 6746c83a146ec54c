"""The vendor's side of a test: licenses it knows, and trouble that it makes for one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.commands import book
from tests.commands.program import CommandLine
from tests.commands.tables import subscription_of


@dataclass(frozen=True)
class Licensed:
    """Imports licenses that the vendor has too."""

    evergreen: CommandLine
    sessions: Any
    vendor_url: str

    async def __call__(self, row: dict[str, str]) -> str:
        """The id of the row's subscription, whose workflow runs."""
        await self._post("/sandbox/licenses", [_at_vendor(row)])
        file = book.write(self.evergreen.cwd / f"{row['license_key']}.csv", [row])
        assert (await self.evergreen("import", file, "--json")).json["taken"] == 1
        return await subscription_of(self.sessions, row)

    async def away(self, row: dict[str, str]) -> None:
        """Let the vendor not answer for this license."""
        await self._post("/sandbox/faults", {"kind": "fail", "license_key": row["license_key"]})

    async def _post(self, path: str, content: object) -> None:
        async with httpx.AsyncClient(base_url=self.vendor_url, trust_env=False) as vendor:
            (await vendor.post(path, json=content)).raise_for_status()


def _at_vendor(row: dict[str, str]) -> dict[str, object]:
    names = ("license_key", "product", "edition", "size", "expires_on")
    addons = [name for name in row["addons"].split(";") if name]
    return {**{name: row[name] for name in names}, "addons": addons}


async def shows(
    evergreen: CommandLine, subscription: str, true: Callable[[dict[str, Any]], object]
) -> Callable[[], Awaitable[bool]]:
    """A look at a subscription, for `tables.until`."""

    async def look() -> bool:
        return bool(true((await evergreen("show", subscription, "--json")).json))

    return look
