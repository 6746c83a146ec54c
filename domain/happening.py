"""One thing that happens to a subscription, whether it was written down or is foreseen: a line to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.catalogue import LicenseItem


class Kind(StrEnum):
    """What happens."""

    RENEWAL = "renewal"
    ADDON = "addon"
    UPGRADE = "upgrade"
    PAYMENT_FAILED = "payment_failed"
    LAPSE = "lapse"
    GIVEN_BACK = "given_back"
    PROMISE_BROKEN = "promise_broken"
    END = "end"
    CANCEL = "cancel"
    RESUME = "resume"


PAID = (Kind.RENEWAL, Kind.ADDON, Kind.UPGRADE)
"""What is paid for, and owes a license update."""

ASIDE = (Kind.PAYMENT_FAILED, Kind.CANCEL, Kind.RESUME)
"""What moves no money: it counts once something comes of it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Days are local days of the business; amounts are minor units of `currency`, zero where nothing is paid."""

    on: date
    subscription_id: str
    kind: Kind
    customer_id: str
    currency: str
    reason: str = ""
    net_minor: int = 0
    tax_minor: int = 0
    credits_minor: int = 0
    card_minor: int = 0
    short_minor: int = 0
    """A payment that fails: what was asked for."""
    promise_on: date | None = None
    """The working day by whose end the license update is due (R5)."""
    expired_on: date | None = None
    """The last day of the term that it is about."""
    covered_to: date | None = None
    """The last day that is paid for by it; of a decision its effective date (R7–R9)."""
    item: LicenseItem | None = None
    """What the license is once it is done."""

    @property
    def total_minor(self) -> int:
        """What it costs, tax included."""
        return self.net_minor + self.tax_minor
