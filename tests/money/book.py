"""The book that a test keeps: its customers and their licenses; at its end every account must be right."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities import starts
from db import books, intakes, subscriptions
from db.arrivals import Storing
from db.identifiers import new_id
from db.life import life_of
from db.subscriptions import Held
from domain import intake, purchase_check
from domain.intake_row import Row
from domain.messages import Life
from domain.purchase import Purchase
from reception.purchases import Recording, Told
from tests.end_to_end.dates import coming
from tests.money.customer import UNTAXED, Customer
from tests.money.subscribed import Subscribed
from tests.money.world import World

numbers = count(1)


@dataclass
class Book:
    """All customers and subscriptions of a test."""

    world: World
    kept: list[Subscribed] = field(default_factory=list)

    def customer(self, country: str = UNTAXED, currency: str = "GBP") -> Customer:
        """Somebody new, of whom nothing is stored before their first license is."""
        return Customer(self.world, f"customer-{next(numbers)}@example.com", country, currency)

    async def subscription(
        self,
        customer: Customer | None = None,
        expires_on: date | None = None,
        addons: Sequence[str] = (),
    ) -> Subscribed:
        """A license of SmarterMail Professional 250, registered at the vendor, imported and kept renewed."""
        kept, life = await self.stored(customer or self.customer(), expires_on or coming(8, 31), addons)
        assert await starts.start(self.world.client, life)
        return kept

    async def stored(
        self, customer: Customer, expires_on: date, addons: Sequence[str] = ()
    ) -> tuple[Subscribed, Life]:
        """The same, and its workflow is not started yet; the license may have expired since."""
        cells = self._license(customer, expires_on, addons)
        row = self._checked(cells, min(expires_on, datetime.now(UTC).date()))
        async with self.world.sessions.begin() as session:
            storing = self._storing()
            await intakes.store(session, storing, [row])
            (held,) = await intakes.not_started(session, storing.intake_id, 2)
            await intakes.mark_started(session, storing.intake_id, [held.subscription.id])
        kept = self._keep(customer, held, cells["license_key"])
        return kept, life_of(held, self.world.settings.policy())

    async def bought_before(
        self, paid: str, reference: str, expires_on: date | None = None
    ) -> tuple[Subscribed, Callable[[], Awaitable[Told]]]:
        """A license whose coming renewal was paid before the move, recorded as `evergreen purchase` does (R19).

        Answers also what records the very same purchase again.
        """
        customer = self.customer()
        cells = self._license(customer, expires_on or coming(8, 31), ()) | {
            "reference": reference,
            "amount": paid,
        }
        line = json.dumps(cells).encode()
        today = datetime.now(UTC).date()
        [purchase] = purchase_check.check_file("jsonl", [line], self.world.settings.price_list(), today)
        assert isinstance(purchase, Purchase), purchase

        async def record() -> Told:
            recording = Recording(self.world.sessions, self.world.client, self._storing())
            [told], refused = await recording.store([purchase])
            assert refused == []
            return told

        told = await record()
        async with self.world.sessions() as session:
            held = await subscriptions.held(session, told.recorded.subscription_id)
        return self._keep(customer, held, cells["license_key"]), record

    async def close(self) -> None:
        """Check the books, and let no workflow live on into the next test."""
        try:
            await self.check_ledger()
        finally:
            for subscribed in self.kept:
                await _terminate(subscribed.handle)

    async def check_ledger(self) -> None:
        """The books are whole, balance in every currency, and what a document owes follows from its parts (R17)."""
        async with self.world.sessions() as session:
            assert await books.broken_accounts(session) == []
            totals: dict[str, int] = {}
            for row in await books.trial_balance(session):
                totals[row.currency] = totals.get(row.currency, 0) + row.balance_minor
        assert not any(totals.values()), totals
        for customer in {subscribed.customer.id: subscribed.customer for subscribed in self.kept}.values():
            assert all(left_minor >= 0 for _kind, left_minor in await customer.credits())
            for paper in await customer.papers():
                owed_minor = paper.total_minor + paper.credited_minor
                assert paper.due_minor == owed_minor - paper.paid_minor - paper.returned_minor

    def _license(self, customer: Customer, expires_on: date, addons: Sequence[str]) -> dict[str, Any]:
        """The cells of a row about a new license that the vendor knows."""
        facts = {
            "product": "SmarterMail",
            "edition": "Professional",
            "size": "250",
            "addons": list(addons),
            "expires_on": str(expires_on),
        }
        return facts | {
            "customer_email": customer.email,
            "customer_name": "Ann Example",
            "country": customer.country,
            "currency": customer.currency,
            "license_key": self.world.vendor.register(**facts),
        }

    def _checked(self, cells: dict[str, Any], today: date) -> Row:
        """A row of an import file, checked as any other."""
        catalogue = self.world.settings.price_list()
        [row] = intake.check_json_lines([json.dumps(cells).encode()], catalogue, today)
        assert isinstance(row, Row), row
        return row

    def _storing(self) -> Storing:
        return Storing(
            intake_id=new_id("imp"),
            filename="book.jsonl",
            digest=bytes(32),
            requested_by="staff:jo",
            at=datetime.now(UTC),
            key_ring=self.world.settings.key_ring(),
            policy=self.world.settings.policy(),
        )

    def _keep(self, customer: Customer, held: Held, license_key: str) -> Subscribed:
        customer.id = held.customer.id
        life = life_of(held, self.world.settings.policy())
        made = Subscribed(self.world, customer, held.subscription.id, license_key, held.term, life.plan)
        self.kept.append(made)
        return made


async def _terminate(handle: WorkflowHandle[Any, Any]) -> None:
    try:
        await handle.terminate("the test is over")
    except RPCError as ended:
        if ended.status != RPCStatusCode.NOT_FOUND:
            raise
