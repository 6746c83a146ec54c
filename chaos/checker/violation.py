"""One thing that is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """Which rule, whose id to look for, and what was found."""

    rule: str
    subject: str
    found: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.found}"


RULES = {
    "due": "every subscription that fell due was renewed exactly once a term, at the vendor",
    "cancel": "every cancellation in time was honored, every late one not; each was answered, as of when it came",
    "charge": "each order's money was taken exactly once, from card and credit together",
    "ledger": "movements sum to zero, balances are the sums of their entries, the card account is the provider's",
    "grant": "no credit grant is below zero",
    "notice": "each notice was written at most once, and each that is required was sent",
    "order": "every paid order was fulfilled once, and nothing else was done at the vendor",
    "promise": "every promise was kept or flagged, and was made for the right time",
    "intake": "every row of an import has one subscription",
    "signal": "every signal that nobody can read was refused where it shows, and no story got stuck",
}
