"""A shop with its customers: opened empty for each test, closed with balanced books."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count

from activities import starts
from db import books, intakes
from db.arrivals import Storing
from db.identifiers import new_id
from db.life import life_of
from domain import intake
from domain.intake_row import Row
from domain.messages import subscription_workflow_id
from tests.orders.customer import Customer
from tests.orders.days import coming
from tests.orders.world import World

numbers = count(1)


@dataclass
class Shop:
    """All customers of a test."""

    world: World
    customers: list[Customer] = field(default_factory=list)

    async def customer(
        self,
        expires_on: date | None = None,
        credit_minor: int = 0,
        card: str | None = "pm_card_visa",
        edition: str = "Professional",
        size: str = "500",
        addons: Sequence[str] = (),
    ) -> Customer:
        """A customer with a license that the vendor knows, imported and kept renewed."""
        expires_on = expires_on or coming(8, 31)
        license = {
            "license_key": f"SM-SECRET-SHOP-{next(numbers):06d}",
            "product": "SmarterMail",
            "edition": edition,
            "size": size,
            "addons": list(addons),
            "expires_on": str(expires_on),
        }
        await self.world.control("vendor", "POST", "licenses", json=[license])
        cells = {
            **license,
            "customer_email": f"customer-{next(numbers)}@example.com",
            "customer_name": "Ann Example",
            "country": "GB",
            "currency": "GBP",
            "renews_on": "",
            "opening_credit": f"{credit_minor // 100}.{credit_minor % 100:02}",
        }
        if card is not None:
            cells["card_token"] = card
        made = await self._subscribed(cells)
        self.customers.append(made)
        return made

    async def _subscribed(self, cells: dict[str, object]) -> Customer:
        """Stored and started as an import does it."""
        settings, now = self.world.settings, datetime.now(UTC)
        [row] = intake.check_json_lines([json.dumps(cells).encode()], settings.price_list(), now.date())
        assert isinstance(row, Row), row
        storing = Storing(
            intake_id=new_id("imp"),
            filename="shop.jsonl",
            digest=bytes(32),
            requested_by="staff:jo",
            at=now,
            key_ring=settings.key_ring(),
            policy=settings.policy(),
        )
        async with self.world.sessions.begin() as session:
            await intakes.store(session, storing, [row])
            (held,) = await intakes.not_started(session, storing.intake_id, 2)
            await intakes.mark_started(session, storing.intake_id, [held.subscription.id])
        life = life_of(held, settings.policy())
        assert await starts.start(self.world.client, life)
        workflow_id = subscription_workflow_id(held.subscription.id)
        described = await self.world.client.get_workflow_handle(workflow_id).describe()
        return Customer(self.world, held, str(cells["license_key"]), life.plan, described.run_id)

    async def close(self) -> None:
        """Check what must hold of every story, and let no workflow live on into the next test."""
        try:
            for customer in self.customers:
                await customer.check_no_task_failed()
            await self._check_books()
        finally:
            for customer in self.customers:
                await customer.leave()

    async def _check_books(self) -> None:
        """The books are whole, and balance in every currency (R17)."""
        async with self.world.sessions() as session:
            assert await books.broken_accounts(session) == []
            totals: dict[str, int] = {}
            for row in await books.trial_balance(session):
                totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
        assert not any(totals.values())
