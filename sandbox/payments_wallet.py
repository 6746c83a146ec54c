"""Customers, their saved cards, and the pages on which cards are saved."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import payments_card_shapes as shapes
from sandbox.payments_book import Book
from sandbox.payments_cards import CARDS, decline
from sandbox.payments_forms import Attachment, CardAnswer, CustomerFacts, NewSession, Request
from sandbox.payments_outbox import Outbox
from sandbox.payments_problems import declined, invalid
from sandbox.payments_shapes import Shape


@dataclass(frozen=True)
class Wallet:
    """Keeps cards. Each command is part of a transaction of the caller's."""

    book: Book
    outbox: Outbox
    public_url: str  # where customers find our pages

    def register(self, facts: CustomerFacts) -> Shape:
        """A new customer."""
        customer = self._filled_in(shapes.customer(), facts)
        self.book.add(customer)
        self.outbox.happened("customer.created", customer)
        return customer

    def change(self, reference: str, facts: CustomerFacts) -> Shape:
        """What is said of a customer replaces what was."""
        customer = self._filled_in(self.book.read("customer", reference), facts)
        self.book.write(customer)
        self.outbox.happened("customer.updated", customer)
        return customer

    def attach(self, reference: str, attachment: Attachment) -> Shape:
        """Save a card, or a new one behind a test token, for a customer. Raises `Problem`, also the bank's no."""
        customer = self.book.read("customer", attachment.customer, "customer")["id"]
        if reference in CARDS:
            return self.save(reference, customer)
        method = self.book.read("payment_method", reference, "payment_method")
        if method["customer"] not in (None, customer):
            raise invalid("The payment method you provided has already been attached to a customer.")
        if method["customer"] is None:
            self.book.write(method | {"customer": customer})
            self.outbox.happened("payment_method.attached", method | {"customer": customer})
        return method | {"customer": customer}

    def detach(self, reference: str, _wish: Request) -> Shape:
        """Take a card from its customer, for good."""
        method = self.book.read("payment_method", reference)
        customer = self.book.find(method["customer"] or "")
        if customer and customer["invoice_settings"]["default_payment_method"] == reference:
            customer["invoice_settings"]["default_payment_method"] = None
            self.book.write(customer)
        self.outbox.happened("payment_method.detached", method | {"customer": None})
        return self.book.write(method | {"customer": None})

    def save(self, token: str, customer: str) -> Shape:
        """A new card behind a test token, saved for a customer, unless the bank says no."""
        card = CARDS[token]
        if card.refuses:
            raise declined(decline(card.answers), {})
        method = self.produce(token, customer)
        self.outbox.happened("payment_method.attached", method)
        return method

    def produce(self, token: str, customer: str | None = None) -> Shape:
        """A new card behind a test token, as Stripe makes one each time a test token is used."""
        method = self.book.add(shapes.payment_method(CARDS[token], customer))
        self.book.let_answer(method["id"], CARDS[token].answers)
        return method

    def open_page(self, wish: NewSession) -> Shape:
        """A page on which a customer saves a card."""
        customer = self.book.read("customer", wish.customer, "customer")
        setup = self.book.add(shapes.setup_intent(customer["id"]))
        said = wish.model_dump(include={"success_url", "cancel_url", "client_reference_id", "metadata"})
        return self.book.add(shapes.checkout_session(setup, self.public_url) | said)

    def complete_page(self, session: Shape, token: str) -> Shape:
        """The customer has entered this card on the page. Raises `Problem` for the bank's no."""
        method = self.save(token, session["customer"])
        setup = self.book.read("setup_intent", session["setup_intent"])
        self.book.write(setup | {"status": "succeeded", "payment_method": method["id"]})
        self.outbox.happened(
            "setup_intent.succeeded", self.book.read("setup_intent", session["setup_intent"])
        )
        done = self.book.write(session | {"status": "complete", "url": None})
        self.outbox.happened("checkout.session.completed", done)
        return done

    def let_answer(self, wish: CardAnswer) -> list[str]:
        """Change what the banks behind one card, or behind a customer's cards, answer; the cards' ids."""
        if wish.payment_method:
            cards = [self.book.read("payment_method", wish.payment_method, "payment_method")]
        else:
            customer = self.book.read("customer", wish.customer or "", "customer")
            cards = self.book.all("payment_method", customer=customer["id"])
        for card in cards:
            self.book.let_answer(card["id"], wish.answers)
        return [card["id"] for card in cards]

    def _filled_in(self, customer: Shape, facts: CustomerFacts) -> Shape:
        said = facts.model_dump(
            include={"email", "name", "description", "metadata"}, exclude_none=True, exclude_unset=True
        )
        metadata = {"metadata": customer["metadata"] | said.pop("metadata", {})}
        if facts.invoice_settings and (default := facts.invoice_settings.default_payment_method):
            method = self.book.read("payment_method", default, "invoice_settings[default_payment_method]")
            if method["customer"] != customer["id"]:
                raise invalid(f"The customer does not have a payment method with the ID {default}.")
            customer["invoice_settings"]["default_payment_method"] = default
        return customer | said | metadata
