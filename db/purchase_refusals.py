"""Why a purchase cannot be recorded although its row is good: what is known here already speaks against it (R19)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from db.license_keys import KeyRing, last_four
from db.models.ledger import CreditGrant
from db.subscriptions import Held
from domain.money import format_minor
from domain.purchase import Purchase


@dataclass(eq=False)
class PurchaseRefused(Exception):
    """The column that cannot stand, why and how to mend it, with no secret in the words (R28)."""

    column: str
    reason: str
    mend: str

    def __str__(self) -> str:
        """Say what is wrong and how to mend it."""
        return f"{self.reason}. {self.mend}"


class ReferenceTaken(PurchaseRefused):
    """The reference was recorded with another amount, currency, key or customer."""


class KeyUnknown(PurchaseRefused):
    """No subscription has the key, and the purchase does not describe the license."""


class KeyOfAnother(PurchaseRefused):
    """The license is another customer's."""


class CurrencyDiffers(PurchaseRefused):
    """The license is renewed in another currency, and currencies never mix (R17)."""


def refuse_another(held: Held, purchase: Purchase) -> None:
    """Refuse a purchase that says otherwise of whose the license is, or of its currency.

    Raises `KeyOfAnother`, `CurrencyDiffers`.
    """
    ends = f"the key ending in {held.license.last_four}"
    if purchase.customer_email not in (None, held.customer.email):
        reason = f"{ends} belongs to customer {held.customer.id}, who has another e-mail address"
        raise KeyOfAnother("customer_email", reason, "Write that customer's address, or the right key.")
    if purchase.currency != held.subscription.currency:
        reason = (
            f"{ends} is renewed in {held.subscription.currency}, which {purchase.currency} cannot pay for"
        )
        raise CurrencyDiffers("currency", reason, "Write what was paid in the license's currency.")


def refuse_other(granted: CreditGrant, held: Held, purchase: Purchase, key_ring: KeyRing) -> None:
    """Refuse a purchase that is not the one granted for `held` under its reference. Raises `ReferenceTaken`."""
    if differences := list(_differences(granted, held, purchase, key_ring)):
        reason = f"the reference was recorded before with {', '.join(differences)}"
        raise ReferenceTaken("reference", reason, "If this is another purchase, give it its own reference.")


def _differences(granted: CreditGrant, held: Held, purchase: Purchase, key_ring: KeyRing) -> Iterator[str]:
    """What is recorded and what is asked now, both named."""
    if (granted.amount_minor, granted.currency) != (purchase.amount_minor, purchase.currency):
        before = format_minor(granted.amount_minor, granted.currency)
        yield f"the amount {before}, not {format_minor(purchase.amount_minor, purchase.currency)}"
    if held.license.fingerprint != key_ring.fingerprint(purchase.license_key):
        before = held.license.last_four
        yield f"the key ending in {before}, not the one ending in {last_four(purchase.license_key)}"
    if purchase.customer_email not in (None, held.customer.email):
        yield f"customer {held.customer.id}, not the one with this e-mail address"
