"""Charges: made, confirmed, declined, approved by the customer, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox import payments_charge_shapes as shapes
from sandbox import payments_money
from sandbox.payments_book import Book
from sandbox.payments_cards import APPROVE, AUTHENTICATE, CARDS, decline
from sandbox.payments_forms import Cancellation, Confirmation, NewIntent
from sandbox.payments_outbox import Outbox
from sandbox.payments_problems import declined, invalid, unexpected
from sandbox.payments_shapes import Shape, now
from sandbox.payments_wallet import Wallet

NOT_APPROVED = {
    "code": "payment_intent_authentication_failure",
    "message": "The provided PaymentMethod has failed authentication.",
}


@dataclass(frozen=True)
class Cashier:
    """Takes money. Each command is part of a transaction of the caller's."""

    book: Book
    outbox: Outbox
    wallet: Wallet

    def create(self, wish: NewIntent) -> Shape:
        """A charge, and if wished its outcome. Raises `Problem`, also for the bank's no."""
        payments_money.check(wish.amount, wish.currency)
        if wish.off_session and not wish.confirm:
            raise invalid("off_session can only be used with confirm=true.", param="off_session")
        if wish.customer:
            self.book.read("customer", wish.customer, "customer")
        method = self._method(wish.payment_method, wish.customer) if wish.payment_method else None
        intent = shapes.payment_intent(wish.amount, wish.currency, wish.customer)
        intent |= {"description": wish.description, "metadata": dict(wish.metadata)}
        self.book.add(intent)
        self.outbox.happened("payment_intent.created", intent)
        if wish.confirm:
            return self._ask_the_bank(intent, method, wish.off_session, wish.return_url)
        if method:
            intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
        return self.book.write(intent)

    def confirm(self, reference: str, wish: Confirmation) -> Shape:
        """Ask the bank, with this card or with the one named before. Raises `Problem`."""
        intent = self.book.read("payment_intent", reference, "intent")
        if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise unexpected("confirm", intent)
        card = wish.payment_method or intent["payment_method"]
        method = self._method(card, intent["customer"]) if card else None
        return self._ask_the_bank(intent, method, wish.off_session, wish.return_url)

    def cancel(self, reference: str, wish: Cancellation) -> Shape:
        """Give a charge up that is not paid. Raises `Problem`."""
        intent = self.book.read("payment_intent", reference, "intent")
        if intent["status"] in ("succeeded", "canceled"):
            raise unexpected("cancel", intent)
        intent |= {
            "status": "canceled",
            "canceled_at": now(),
            "cancellation_reason": wish.cancellation_reason,
            "next_action": None,
        }
        self.outbox.happened("payment_intent.canceled", intent)
        return self.book.write(intent)

    def answer_for_customer(self, reference: str, approves: bool) -> str | None:
        """What the customer said on the bank's page; where to send them then. None: nothing was being asked."""
        intent = self.book.read("payment_intent", reference, "intent")
        if intent["status"] != "requires_action":
            return None
        back = str(intent["next_action"]["redirect_to_url"]["return_url"])
        if approves:
            self._succeed(intent, self.book.read("payment_method", intent["payment_method"]))
        else:
            self._fail(intent, {"type": "invalid_request_error"} | NOT_APPROVED)
        told = {
            "payment_intent": reference,
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if approves else "failed",
        }
        return f"{back}{'&' if '?' in back else '?'}{urlencode(told)}"

    def _method(self, reference: str, customer: str | None) -> Shape:
        if reference in CARDS:
            return self.wallet.produce(reference)
        method = self.book.read("payment_method", reference, "payment_method")
        if method["customer"] not in (None, customer):
            raise invalid(f"The customer does not have a payment method with the ID {reference}.")
        return method

    def _ask_the_bank(
        self, intent: Shape, method: Shape | None, off_session: bool, return_url: str | None
    ) -> Shape:
        if method is None:
            message = "You cannot confirm this PaymentIntent because it's missing a payment method."
            raise invalid(message, "payment_intent_unexpected_state")
        answer = self.book.answer(method["id"])
        if answer == APPROVE:
            return self._succeed(intent, method)
        if answer == AUTHENTICATE and not off_session:
            return self._ask_the_customer(intent, method, return_url)
        failure = decline("authentication_required" if answer == AUTHENTICATE else answer)
        charge = self.book.add(shapes.charge(intent, method, failure))
        self.outbox.happened("charge.failed", charge)
        intent["latest_charge"] = charge["id"]
        about = {"charge": charge["id"], "payment_method": method}
        self._fail(intent, {"type": "card_error"} | failure | about)
        raise declined(failure, about | {"payment_intent": intent})

    def _succeed(self, intent: Shape, method: Shape) -> Shape:
        charge = self.book.add(shapes.charge(intent, method, None))
        self.outbox.happened("charge.succeeded", charge)
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
            "payment_method": method["id"],
            "next_action": None,
            "last_payment_error": None,
        }
        self.outbox.happened("payment_intent.succeeded", intent)
        return self.book.write(intent)

    def _fail(self, intent: Shape, error: Shape) -> None:
        intent |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "next_action": None,
            "last_payment_error": error,
        }
        self.outbox.happened("payment_intent.payment_failed", intent)
        self.book.write(intent)

    def _ask_the_customer(self, intent: Shape, method: Shape, return_url: str | None) -> Shape:
        page = {
            "url": f"{self.wallet.public_url}/redirect/authenticate/{intent['id']}",
            "return_url": return_url,
        }
        by_sdk = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        intent |= {
            "status": "requires_action",
            "payment_method": method["id"],
            "next_action": {"type": "redirect_to_url", "redirect_to_url": page} if return_url else by_sdk,
            "last_payment_error": None,
        }
        self.outbox.happened("payment_intent.requires_action", intent)
        return self.book.write(intent)
