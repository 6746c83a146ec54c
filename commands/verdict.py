"""What became of a book: our tables beside the vendor's own record, and whether the ledger balances."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from commands.screen import console
from db import books, subscriptions
from db.license_keys import KeyRing
from db.models.license_update import LicenseUpdate
from db.models.order import Order


@dataclass(frozen=True)
class Verdict:
    """The figures of the last table."""

    licenses: int
    renewals: int
    states: dict[str, int]
    promises_kept: int
    promises_broken: int
    ledger_balanced: bool
    differences: list[str]
    """Licenses and orders on which the vendor's own record and our tables differ."""

    @property
    def good(self) -> bool:
        """Books balance and the vendor agrees."""
        return self.ledger_balanced and not self.differences

    def as_document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {**asdict(self), "good": self.good}

    def show(self) -> None:
        """Print the last table."""
        shown = Table(title="The year, in figures", title_justify="left", show_header=False)
        words = {
            "active": "will renew again",
            "cancelled": "cancelled, still covered",
            "expired": "expired as asked",
            "collecting": "waiting for money",
            "lapsed": "lapsed: not paid, nothing taken",
            "updating": "being updated at the vendor",
            "refused": "refused by the vendor",
        }
        shown.add_row("licenses", str(self.licenses))
        shown.add_row("renewals proved at the vendor", str(self.renewals))
        for state, count in sorted(self.states.items()):
            shown.add_row(words[state], str(count))
        shown.add_row("promises kept / broken", f"{self.promises_kept} / {self.promises_broken}")
        shown.add_row("ledger", "[green]balanced[/]" if self.ledger_balanced else "[red]DOES NOT BALANCE[/]")
        agrees = (
            f"[red]differs: {len(self.differences)}[/]"
            if self.differences
            else "[green]agrees on every license[/]"
        )
        shown.add_row("vendor's own record", agrees)
        console.print(shown)
        for difference in self.differences[:20]:
            console.print(f"  [red]{difference}[/]")


async def reach_verdict(
    sessions: async_sessionmaker[AsyncSession],
    key_ring: KeyRing,
    vendor_licenses: list[dict[str, Any]],
    vendor_orders: list[dict[str, Any]],
) -> Verdict:
    """Compare every license and order with the vendor's record, and prove the books."""
    async with sessions() as session:
        held = await subscriptions.listing(session)
        fulfilled = set(await session.scalars(select(Order.key).where(Order.state == "fulfilled")))
        kept = select(func.count()).where(LicenseUpdate.done_at <= LicenseUpdate.promise_at)
        promises_kept = (await session.scalar(kept)) or 0
        promises_broken = (await session.scalar(select(func.count()).where(LicenseUpdate.late))) or 0
        trial = await books.trial_balance(session)
        broken = await books.broken_accounts(session)
    totals: Counter[str] = Counter()
    for row in trial:
        totals[row.currency] += row.balance_minor
    seen = {key_ring.fingerprint(license["license_key"]): license for license in vendor_licenses}
    differences = []
    for one in held:
        at_vendor = seen[one.license.fingerprint]["expires_on"]
        if at_vendor != str(one.license.vendor_expires_on):
            differences.append(
                f"{one.subscription.id}: ours {one.license.vendor_expires_on}, the vendor's {at_vendor}"
            )
    placed = Counter(order["reference"] for order in vendor_orders)
    differences += [f"order {key} is not with the vendor" for key in fulfilled - placed.keys()]
    differences += [f"the vendor has order {key}, we have not" for key in placed.keys() - fulfilled]
    differences += [f"order {key} was done {times} times" for key, times in placed.items() if times > 1]
    return Verdict(
        licenses=len(held),
        renewals=len(fulfilled),
        states=dict(Counter(one.subscription.state for one in held)),
        promises_kept=promises_kept,
        promises_broken=promises_broken,
        ledger_balanced=not broken and not any(totals.values()),
        differences=differences,
    )
