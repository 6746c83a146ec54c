"""Refunds: never more than was charged, however many."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import payments_charge_shapes as shapes
from sandbox.payments_book import Book
from sandbox.payments_cards import refund_standings
from sandbox.payments_forms import NewRefund
from sandbox.payments_money import shown
from sandbox.payments_outbox import Outbox
from sandbox.payments_problems import invalid
from sandbox.payments_shapes import Shape


@dataclass(frozen=True)
class Returns:
    """Gives money back. Each command is part of a transaction of the caller's."""

    book: Book
    outbox: Outbox

    def refund(self, wish: NewRefund) -> Shape:
        """Give back part of a charge, or what is left of it. Raises `Problem`."""
        charge = self._charge(wish)
        left = charge["amount"] - charge["amount_refunded"]
        amount = left if wish.amount is None else wish.amount
        if left == 0:
            raise invalid(f"Charge {charge['id']} has already been refunded.", "charge_already_refunded")
        if amount < 1:
            raise invalid("Invalid positive integer", "parameter_invalid_integer", "amount")
        if amount > left:
            wanted, there_is = (shown(money, charge["currency"]) for money in (amount, left))
            message = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({there_is})"
            raise invalid(message, param="amount")
        first, *later = refund_standings(charge["payment_method_details"]["card"]["last4"])
        refund = shapes.refund(charge, amount)
        refund |= {"metadata": dict(wish.metadata), "reason": wish.reason, "status": first}
        self.book.add(refund)
        charge |= {"amount_refunded": charge["amount_refunded"] + amount, "refunded": amount == left}
        self.book.write(charge)
        self.outbox.happened("refund.created", refund)
        self.outbox.happened("charge.refunded", charge)
        for standing in later:
            self._turns_out(refund | {"status": standing}, charge)
        return refund

    def _turns_out(self, refund: Shape, charge: Shape) -> None:
        """The bank has taken its time. What it did not take is with the merchant again."""
        self.book.write(refund)
        if refund["status"] == "failed":
            amount_refunded = charge["amount_refunded"] - refund["amount"]
            self.book.write(charge | {"amount_refunded": amount_refunded, "refunded": False})
            self.outbox.happened("refund.failed", refund)
        else:
            self.outbox.happened("refund.updated", refund)

    def _charge(self, wish: NewRefund) -> Shape:
        if wish.charge:
            charge = self.book.read("charge", wish.charge, "charge")
        elif wish.payment_intent:
            intent = self.book.read("payment_intent", wish.payment_intent, "payment_intent")
            charge = self.book.find(intent["latest_charge"] or "") or {}
        else:
            raise invalid("One of the following params should be provided: payment_intent or charge.")
        if not charge.get("paid"):
            raise invalid(
                f"This PaymentIntent ({wish.payment_intent}) does not have a successful charge to refund."
            )
        return charge
