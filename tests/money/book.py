"""The book of customers that a test keeps: their licenses, cards and credits, and what became of the money."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Self

from sqlalchemy import select
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

import starter
from activities import starts
from db import books, customers, grants, intakes, invoice_papers, subscriptions
from db.arrivals import Storing
from db.books import GrantStatement
from db.identifiers import new_id
from db.invoice_papers import InvoiceFacts
from db.life import life_of
from db.models.invoice import Invoice
from db.models.notice import Notice
from db.models.order import Order
from db.models.payment import Payment
from db.subscriptions import Held
from domain import intake, purchase_check
from domain.card import Payer, SavedCard
from domain.credits import GrantKind
from domain.intake_row import Row
from domain.messages import Ending, Life, State, Status
from domain.milestones import Milestones
from domain.purchase import Purchase
from domain.term import Term, next_term
from reception.purchases import Recording, Told
from tests.end_to_end.dates import coming, local
from tests.money.world import World

RENEWAL_MINOR = 180_00
"""SmarterMail Professional 250: £200.00 less 10 % loyalty, where there is no tax."""
PATIENCE = timedelta(seconds=100)
UNTAXED = "JE"
"""A country that pays in pounds and is not taxed: amounts are round."""

numbers = count(1)


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something that is on its way."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not await condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE.total_seconds():g} s for: {what}") from None


@dataclass
class Customer:
    """Somebody who pays: cards at the provider, credits here, papers."""

    world: World
    email: str
    country: str = UNTAXED
    currency: str = "GBP"
    id: str = ""
    reference: str | None = None
    """The payment provider's id of them; none before they have saved a card."""

    # ---- what they do

    async def save_card(self, token: str = "pm_card_visa", answers: str = "approve") -> SavedCard:
        """Save a card at the provider, as its page does; from then on it answers so, and is the one we know.

        The first card is one that we are told of beforehand; later ones the provider tells the portal.
        """
        saved = await self.world.provider.save_card(Payer(self.id, self.email, "Ann", self.reference), token)
        assert isinstance(saved, SavedCard)
        if answers != "approve":
            await self.let_cards_answer(answers, saved.payment_method)
        self.reference = saved.customer_reference
        async with self.world.sessions.begin() as session:
            waiting = await customers.save_card(session, saved, self.id)
        for subscription_id in waiting:
            await starter.payment_changed(self.world.client, subscription_id, by="customer")
        await eventually(self._are_all_events_sent, "the provider has told of the card")
        return saved

    async def _are_all_events_sent(self) -> bool:
        """Else news of the card might come in the middle of what the test does next, and have it tried once more."""
        told = {"customer": self.reference}
        events = await self.world.payments.control("GET", "/sandbox/events", params=told)
        return all(event["state"] != "owed" or event["attempts"] for event in events)

    async def new_card(self, token: str = "pm_card_visa") -> None:
        """Enter another card on the provider's page, of which only its webhooks tell us."""
        page = await self.world.provider.setup_page(
            Payer(self.id, self.email, "Ann", self.reference), "http://portal.example/"
        )
        entered = await self.world.http.post(page.url, data={"card": token})
        assert entered.status_code == 303, entered.text

    async def let_cards_answer(self, answers: str, payment_method: str | None = None) -> None:
        """What their bank says from now on."""
        whose = {"payment_method": payment_method} if payment_method else {"customer": self.reference}
        await self.world.payments.control("POST", "/sandbox/cards", json=whose | {"answers": answers})

    async def answer_bank(self, url: str, answer: str = "approve") -> None:
        """Answer on their bank's page, to which a letter has sent them."""
        answered = await self.world.http.post(url, data={"answer": answer})
        assert answered.status_code == 303, answered.text

    async def grant(
        self,
        amount_minor: int,
        kind: GrantKind = "promotional",
        expires_on: date | None = None,
        currency: str | None = None,
    ) -> str:
        """Put credit on their account; the grant's id."""
        async with self.world.sessions.begin() as session:
            granted = await grants.grant(
                session,
                self.id,
                kind,
                amount_minor,
                currency or self.currency,
                reference=new_id("reference"),
                reason="a test",
                by="staff:jo",
                at=datetime.now(UTC),
                expires_on=expires_on,
            )
        return granted.grant_id

    # ---- what became of their money

    async def charges(self) -> list[dict[str, Any]]:
        """What was tried to take from their cards, as the provider's own record has it, oldest first."""
        return await self.world.payments.charges(self.reference) if self.reference else []

    async def taken(self) -> list[tuple[int, str]]:
        """The amounts and currencies that the provider took, oldest first."""
        made = [charge for charge in await self.charges() if charge["status"] == "succeeded"]
        return [(charge["amount"], charge["currency"].upper()) for charge in made]

    async def refunds(self) -> list[int]:
        """The amounts that the provider gave back, oldest first."""
        found = await self.world.payments.control(
            "GET", "/sandbox/refunds", params={"customer": self.reference}
        )
        return [refund["amount"] for refund in found if refund["status"] != "failed"]

    async def statement(self) -> list[GrantStatement]:
        """Their credits, grant by grant, oldest first."""
        async with self.world.sessions() as session:
            return await books.statement(session, self.id)

    async def credits(self) -> list[tuple[str, int]]:
        """The kind of each grant and what is left of it, oldest first."""
        return [(grant.kind, grant.remaining_minor) for grant in await self.statement()]

    async def papers(self, kind: str = "invoice") -> list[InvoiceFacts]:
        """Their invoices, or credit notes, oldest first."""
        async with self.world.sessions() as session:
            found = await invoice_papers.of_customer(session, self.id)
        return [paper for paper in found if paper.kind == kind]


@dataclass
class Subscribed:
    """One license that is kept renewed."""

    world: World
    customer: Customer
    id: str
    license_key: str
    term: Term
    plan: Milestones

    @property
    def workflow_id(self) -> str:
        return f"subscription/{self.id}"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(self.workflow_id)

    @property
    def expires_on(self) -> date:
        """The expiry with which it began."""
        return self.term.expires_on

    @property
    def next_expires_on(self) -> date:
        """The expiry after one renewal (R1)."""
        return next_term(self.term, anchor_day=self.term.expires_on.day).expires_on

    async def at(self, instant: datetime) -> Self:
        """Let its time pass up to the instant; whatever falls due on the way is done."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await self.world.clocks.advance(self.workflow_id, instant)
        return self

    async def days_before_expiry(self, days: int, clock: str = "12:00") -> Self:
        """Let its time pass up to so many days before it expires; below zero after."""
        return await self.at(local(self.expires_on - timedelta(days=days), clock))

    async def status(self) -> Status:
        return await starter.status(self.world.client, self.id)

    async def until(self, state: State) -> Status:
        """Its status once it is in that state."""

        async def reached() -> bool:
            return (await self.status()).state == state

        await eventually(reached, f"{self.id} is {state}")
        return await self.status()

    async def until_renewed(self) -> None:
        """Wait until the license has been renewed once, and that is written down."""

        async def renewed() -> bool:
            row = (await self.row()).subscription
            return row.expires_on == self.next_expires_on

        await eventually(renewed, f"{self.id} is renewed")

    async def ending(self) -> Ending:
        """How its workflow ended."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await self.world.client.get_workflow_handle(self.workflow_id, result_type=Ending).result()

    async def row(self) -> Held:
        async with self.world.sessions() as session:
            return await subscriptions.held(session, self.id)

    async def orders(self) -> list[str]:
        """The states of its orders, oldest first."""
        query = select(Order.state).where(Order.subscription_id == self.id).order_by(Order.id)
        async with self.world.sessions() as session:
            return list(await session.scalars(query))

    async def payments(self, kind: str = "charge") -> list[Payment]:
        """What we wrote down of its charges or refunds, oldest first."""
        query = (
            select(Payment)
            .join(Invoice, Invoice.id == Payment.invoice_id)
            .join(Order, Order.id == Invoice.order_id)
            .where(Order.subscription_id == self.id, Payment.kind == kind)
            .order_by(Payment.recorded_at, Payment.id)
        )
        async with self.world.sessions() as session:
            return list(await session.scalars(query))

    async def notices(self, kind: str, audience: str = "customer") -> list[Notice]:
        """What its customer, or staff, were told of this kind, oldest first."""
        query = select(Notice).where(
            Notice.subscription_id == self.id, Notice.kind == kind, Notice.audience == audience
        )
        async with self.world.sessions() as session:
            return list(await session.scalars(query.order_by(Notice.id)))

    def renewals(self) -> list[tuple[str, str]]:
        """From and to which expiry the vendor has renewed the license, each order once."""
        made = [order for order in self.world.vendor.orders(self.license_key) if order["kind"] == "renewal"]
        return [(order["from_expires_on"], order["to_expires_on"]) for order in made]

    @property
    def one_renewal(self) -> list[tuple[str, str]]:
        """What `renewals` says when the vendor has renewed the license once, from its old expiry."""
        return [(str(self.expires_on), str(self.next_expires_on))]


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
