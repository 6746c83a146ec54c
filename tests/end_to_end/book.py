"""The book of subscriptions that a test keeps; at its end every story must hold, and every account be right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities import starts
from db import books, intakes
from db.arrivals import Storing
from db.identifiers import new_id
from db.life import life_of
from db.subscriptions import Held
from domain import intake
from domain.intake_row import Row
from domain.milestones import Policy
from tests.end_to_end.dates import coming
from tests.end_to_end.subscribed import RENEWAL_MINOR, Subscribed
from tests.end_to_end.world import World

numbers = count(1)


@dataclass
class Book:
    """All subscriptions of a test."""

    world: World
    kept: list[Subscribed] = field(default_factory=list)

    async def subscription(
        self,
        expires_on: date | None = None,
        credit_minor: int = RENEWAL_MINOR,
        product: str = "SmarterMail",
        edition: str = "Professional",
        size: str = "250",
        addons: Sequence[str] = (),
        renews_on: date | None = None,
        policy: Policy | None = None,
    ) -> Subscribed:
        """A customer with a license that is registered at the vendor, imported and kept renewed."""
        expires_on = expires_on or coming(8, 31)
        license_key = self.world.vendor.register(
            product=product, edition=edition, size=size, addons=list(addons), expires_on=str(expires_on)
        )
        row = self._row(
            customer_email=f"customer-{next(numbers)}@example.com",
            customer_name="Ann Example",
            country="GB",
            currency="GBP",
            license_key=license_key,
            product=product,
            edition=edition,
            size=size,
            addons=list(addons),
            expires_on=str(expires_on),
            renews_on=str(renews_on or ""),
            opening_credit=f"{credit_minor // 100}.{credit_minor % 100:02}",
        )
        held = await self._stored(row)
        made = await self._started(held, license_key, policy or self.world.settings.policy())
        self.kept.append(made)
        return made

    def mark(self, subscribed: Subscribed, status: str) -> None:
        """Have the vendor mark the license `revoked` or `unknown`, or `active` again."""
        marked = {"license_keys": [subscribed.license_key], "status": status}
        self.world.vendor.control("POST", "/sandbox/licenses/status", json=marked)

    def _row(self, **cells: str | list[str]) -> Row:
        """A row of an import file, checked as any other."""
        line = json.dumps(cells).encode()
        catalogue = self.world.settings.price_list()
        [row] = intake.check_json_lines([line], catalogue, datetime.now(UTC).date())
        assert isinstance(row, Row), row
        return row

    async def _stored(self, row: Row) -> Held:
        storing = Storing(
            intake_id=new_id("imp"),
            filename="book.csv",
            digest=bytes(32),
            requested_by="staff:jo",
            at=datetime.now(UTC),
            key_ring=self.world.settings.key_ring(),
            policy=self.world.settings.policy(),
        )
        async with self.world.sessions.begin() as session:
            await intakes.store(session, storing, [row])
            (held,) = await intakes.not_started(session, storing.intake_id, 2)
            await intakes.mark_started(session, storing.intake_id, [held.subscription.id])
        return held

    async def _started(self, held: Held, license_key: str, policy: Policy) -> Subscribed:
        life = life_of(held, policy)
        assert await starts.start(self.world.client, life)
        workflow_id = f"subscription/{held.subscription.id}"
        described = await self.world.client.get_workflow_handle(workflow_id).describe()
        return Subscribed(
            self.world,
            held.subscription.id,
            held.customer.id,
            license_key,
            held.term,
            life.plan,
            described.run_id,
        )

    async def close(self) -> None:
        """Check what must hold of every story, and let no workflow live on into the next test."""
        try:
            for subscribed in self.kept:
                await subscribed.check_no_task_failed()
            await self.check_ledger()
        finally:
            for subscribed in self.kept:
                await _terminate(subscribed.handle)

    async def check_ledger(self) -> None:
        """The books are whole, and balance in every currency (R17)."""
        async with self.world.sessions() as session:
            assert await books.broken_accounts(session) == []
            totals: dict[str, int] = {}
            for row in await books.trial_balance(session):
                totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
        assert not any(totals.values())


async def _terminate(handle: WorkflowHandle[Any, Any]) -> None:
    try:
        await handle.terminate("the test is over")
    except RPCError as ended:
        if ended.status != RPCStatusCode.NOT_FOUND:
            raise
