"""Somebody who pays: what they do about their money, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import starter
from db import books, customers, grants, invoice_papers
from db.books import GrantStatement
from db.identifiers import new_id
from db.invoice_papers import InvoiceFacts
from domain.card import Payer, SavedCard
from domain.credits import GrantKind
from tests.eventually import eventually
from tests.money.world import World

UNTAXED = "JE"
"""A country that pays in pounds and is not taxed: amounts are round."""


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
