"""Which terms a change of the license is charged for (R14), and whether it can be ordered at all.

Not prices: those are in ``pricing``. Not the order: that is a row.
"""

from dataclasses import dataclass
from datetime import date

from domain.term import ONE_DAY, Term, next_term, term_ending


class NotForSale(ValueError):
    """Nothing can be ordered for this license now; the text says why and what can be done."""


@dataclass(frozen=True, slots=True)
class Charged:
    """The term whose remaining days are charged, and the one after it if that is charged whole."""

    term: Term
    next_term: Term | None

    @property
    def through(self) -> Term:
        """The last term paid for."""
        return self.next_term or self.term


REASONS = {
    "collecting": "the renewal is due and not paid yet: pay it first",
    "refused": "the vendor has refused this license: staff have been told",
    "lapsed": "the license has lapsed: renew it first",
    "expired": "the license has expired: send a request for a new one",
}


def charged(term: Term, months: int, anchor_day: int, state: str, on: date) -> Charged:
    """Find what an add-on bought on the local day is charged for (R14).

    Once the coming renewal is settled that is the rest of this term and the whole next one: while the license is
    being updated, and after that for as long as the days of the term before it last, since a renewal is settled
    two weeks before they end. Raises ``NotForSale``.
    """
    if state in REASONS:
        raise NotForSale(REASONS[state])
    if on > term.expires_on:
        raise NotForSale(f"the license was covered through {term.expires_on}: renew it first")
    if on < term.starts_on:
        before = term_ending(term.starts_on - ONE_DAY, months, anchor_day)
        if on < before.starts_on:
            raise NotForSale(f"the license is covered from {before.starts_on} on: wait until then")
        return Charged(before, term)
    if state == "updating":
        return Charged(term, next_term(term, months, anchor_day))
    return Charged(term, None)
