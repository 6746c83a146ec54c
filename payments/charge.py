"""Charges and refunds: what is asked for, and how it turned out.

Amounts are integers of the currency's minor unit as the provider counts it, so ¥500 is 500 (R11); currencies are
ISO, upper case; instants are aware, UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

DeclineKind = Literal["soft", "hard"]
LONGEST_KEY = 200


@dataclass(frozen=True)
class Charge:
    """What is taken from a customer's card, without the customer being there.

    The key is one attempt's: the same key never charges again, and for about a day answers the same again. So
    another attempt after a decline (R22) needs a key of its own.
    """

    key: str  # ours, unique for ever (R25)
    customer_reference: str  # the provider's customer id
    amount_minor: int
    currency: str
    description: str  # what the customer may read; no license key (R28)
    payment_method: str | None = None  # None: the customer's default card
    metadata: Mapping[str, str] = field(default_factory=dict)  # our ids, shown to staff at the provider

    def __post_init__(self) -> None:
        """Raise ValueError for a charge that no provider could take."""
        check_key(self.key)
        check_money(self.amount_minor, self.currency)


@dataclass(frozen=True)
class Charged:
    """The money was taken."""

    reference: str  # the provider's, of the charge: kept, a refund needs it
    amount_minor: int
    currency: str
    created_at: datetime  # when the attempt began


@dataclass(frozen=True)
class Declined:
    """The money was not taken, and will not be by this attempt."""

    code: str  # why, in the provider's word; `no_card` (ours): there is none to charge
    kind: DeclineKind  # `soft`: worth another try; `hard`: waits for a new card (R22)
    reference: str | None = None  # the provider's, of the attempt; None: the provider was not asked


@dataclass(frozen=True)
class ActionRequired:
    """The customer's bank wants the customer to approve the charge; until then nothing is taken.

    It stays open: withdraw it before the amount is collected in any other way.
    """

    url: str  # the page to send the customer to
    reference: str


Outcome: TypeAlias = Charged | Declined | ActionRequired


@dataclass(frozen=True)
class Refund:
    """What is given back of a charge (R20): several may be, together never more than the charge."""

    key: str  # ours, unique for ever (R25)
    charge_reference: str
    amount_minor: int

    def __post_init__(self) -> None:
        """Raise ValueError for a refund that no provider could take."""
        check_key(self.key)
        check_money(self.amount_minor, "XXX")


@dataclass(frozen=True)
class Refunded:
    """A refund as the provider booked it; one that is `pending` may still fail, which a webhook tells."""

    reference: str  # the provider's, of the refund
    amount_minor: int
    currency: str
    status: Literal["succeeded", "pending", "failed"]
    created_at: datetime


@dataclass(frozen=True)
class SeenCharge:
    """A charge as the provider's record has it now, for comparing it with ours."""

    reference: str
    key: str | None  # None: not made by us
    customer_reference: str | None
    amount_minor: int
    currency: str
    status: Literal["succeeded", "declined", "action_required", "pending"]
    refunded_minor: int  # given back so far
    created_at: datetime


def check_key(key: str) -> None:
    """Raise ValueError for a key that no provider could keep: it is printable ASCII, of bounded length."""
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise ValueError(f"a key is 1 to {LONGEST_KEY} characters of printable ASCII")


def check_money(amount_minor: int, currency: str) -> None:
    """Raise ValueError for an amount that cannot be moved (R11)."""
    if type(amount_minor) is not int or amount_minor < 1:
        raise ValueError("an amount is a whole number of minor units, at least 1")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise ValueError("a currency is three upper-case letters")
