"""Who pays, and the cards the provider keeps for them: its references and what may be shown, never a number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Payer:
    """One of our customers, as the provider is told of them."""

    id: str  # ours
    email: str
    name: str
    reference: str | None = None  # the provider's customer id; None: not known yet


@dataclass(frozen=True)
class SavedCard:
    """A card the provider keeps for a customer; what may be shown of it."""

    customer_reference: str
    payment_method: str  # the provider's reference of the card
    brand: str  # 'visa', 'mastercard'
    last4: str
    expires: tuple[int, int]  # year, month


@dataclass(frozen=True)
class SetupPage:
    """A page of the provider's where a customer enters a new card; it serves once, for about a day."""

    url: str
    customer_reference: str
