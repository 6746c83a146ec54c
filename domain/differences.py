"""Where our tables, Temporal, the vendor and the payment provider differ: which kinds there are, and how to tell.

Compares and classifies; finding, healing and telling are elsewhere. No text here holds a license key (R28).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from domain.money import format_minor


class Kind(StrEnum):
    """What can differ."""

    WORKFLOW_MISSING = "workflow_missing"
    WORKFLOW_STRAY = "workflow_stray"
    WORKFLOW_AHEAD = "workflow_ahead"
    LICENSE_DIFFERS = "license_differs"
    CHARGE_UNKNOWN_HERE = "charge_unknown_here"
    CHARGE_UNKNOWN_THERE = "charge_unknown_there"
    CHARGE_DIFFERS = "charge_differs"
    REFUND_DIFFERS = "refund_differs"
    PAYMENT_UNSETTLED = "payment_unsettled"
    NOTICES_UNSENT = "notices_unsent"
    UPDATE_MISSING = "update_missing"
    UPDATE_LATE = "update_late"
    ORDER_STUCK = "order_stuck"
    INVOICE_DIFFERS = "invoice_differs"
    TRIAL_BALANCE = "trial_balance"
    LEDGER_BROKEN = "ledger_broken"


ADVICE: Final[Mapping[Kind, str]] = {
    Kind.WORKFLOW_MISSING: "find out who ended it; one that COMPLETED has ended by itself, and our rows are older",
    Kind.WORKFLOW_STRAY: "terminate whichever of the two is wrong: `temporal workflow terminate --workflow-id …`",
    Kind.WORKFLOW_AHEAD: "our rows are older than it, from a back-up: write down what they lack before it goes on",
    Kind.LICENSE_DIFFERS: "ask the vendor who changed it; correct it there, or our row",
    Kind.CHARGE_UNKNOWN_HERE: "find out who charged; give it back at the provider unless it was owed",
    Kind.CHARGE_UNKNOWN_THERE: "money that we booked is not there: ask the provider before anything is given back",
    Kind.CHARGE_DIFFERS: "compare both records of the charge; correct the one that is wrong",
    Kind.REFUND_DIFFERS: "compare both records of the refunds; give back or write down what is missing",
    Kind.PAYMENT_UNSETTLED: "the provider knows nothing of it: see why its workflow does not go on",
    Kind.NOTICES_UNSENT: "look at the mail server; notices that were given up can be tried again",
    Kind.UPDATE_MISSING: "an order is paid and owes no license update: a mistake of ours, read its audit",
    Kind.UPDATE_LATE: "`evergreen updates --late`: have it done",
    Kind.ORDER_STUCK: "an order was begun and is neither paid nor taken back: `evergreen pay`, or refund it",
    Kind.INVOICE_DIFFERS: "its ledger account does not fit the order's state: read its movements",
    Kind.TRIAL_BALANCE: "stop taking money and call whoever keeps the books",
    Kind.LEDGER_BROKEN: "somebody has changed the ledger past its guards: restore or correct it by a movement",
}
"""What a person is to do about each."""


@dataclass(frozen=True)
class Difference:
    """One difference; kind and subject tell it from every other, `details` are JSON values for whoever looks."""

    kind: Kind
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """A license as somebody's record shows it."""

    expires_on: date
    edition: str
    size: str
    addons: frozenset[str]

    def __str__(self) -> str:
        addons = ", ".join(sorted(self.addons)) or "no add-ons"
        return f"{self.edition} {self.size} to {self.expires_on} with {addons}"


def license_difference(
    subscription_id: str, ours: Shape, seen: Shape, owed: Iterable[Shape] = ()
) -> Difference | None:
    """The vendor's record is neither what we hold nor what an update under way makes of it: somebody else was there."""
    if seen == ours or seen in set(owed):
        return None
    return Difference(Kind.LICENSE_DIFFERS, subscription_id, {"ours": str(ours), "vendor": str(seen)})


@dataclass(frozen=True)
class Taken:
    """A charge as somebody's record has it; amounts in minor units, `refunded_minor` what went back of it."""

    reference: str
    key: str | None
    amount_minor: int
    currency: str
    succeeded: bool
    refunded_minor: int = 0
    settled: bool = True
    """Its outcome is written down; until then whoever has it in hand goes on."""

    @property
    def details(self) -> dict[str, Any]:
        """The facts as JSON values."""
        return {
            "reference": self.reference,
            "key": self.key,
            "amount": format_minor(self.amount_minor, self.currency),
            "succeeded": self.succeeded,
            "refunded": format_minor(self.refunded_minor, self.currency),
        }


def charge_difference(ours: Taken | None, seen: Taken | None) -> Difference | None:
    """One charge in both records; money that moved in neither is nothing to look at."""
    match ours, seen:
        case None, Taken(succeeded=True):
            return Difference(Kind.CHARGE_UNKNOWN_HERE, seen.reference, seen.details)
        case Taken(succeeded=True), None:
            return Difference(Kind.CHARGE_UNKNOWN_THERE, ours.reference, ours.details)
        case Taken(), Taken():
            return _in_both(ours, seen)
    return None


def _in_both(ours: Taken, seen: Taken) -> Difference | None:
    both = {"ours": ours.details, "provider": seen.details}
    same = (ours.amount_minor, ours.currency) == (seen.amount_minor, seen.currency)
    if ours.succeeded != seen.succeeded or (seen.succeeded and not same):
        return Difference(Kind.CHARGE_DIFFERS, seen.reference, both)
    if seen.succeeded and ours.refunded_minor != seen.refunded_minor:
        return Difference(Kind.REFUND_DIFFERS, seen.reference, both)
    return None
