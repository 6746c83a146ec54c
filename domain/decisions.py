"""Whether a cancellation or a resumption counts, and from when (R7–R10).

Decides and does nothing: who asked, remembering request ids (R10) and finding out when a request was received (R3) are
the caller's. ``received_at`` is always the instant the server received the request, not the one it is handled at.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.local_time import in_words, require_aware
from domain.milestones import Milestones
from domain.term import Term


class Outcome(StrEnum):
    """How a request is answered."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    NO_CHANGE = "no_change"


@dataclass(eq=False)
class TermOver(ValueError):
    """The term had ended when the resumption was received, so there is nothing left to resume (R9)."""

    received_at: datetime
    expires_on: date

    def __str__(self) -> str:
        return (
            f"the request was received at {self.received_at.isoformat()}, after the license had expired "
            f"on {in_words(self.expires_on)}: ask for a late renewal instead"
        )


@dataclass(frozen=True, slots=True)
class Renewing:
    """The customer's standing wish.

    ``auto_renew`` false: cancelled in time, the coming renewal does not happen (R7), whatever the other says.
    ``ends_after_next`` true: a late cancel is kept, this renewal goes ahead and is the last (R8).
    """

    auto_renew: bool = True
    ends_after_next: bool = False

    def in_the_next_term(self) -> "Renewing":
        """Tell the wish that the renewed term begins with: cancelled, if a late cancel was kept (R8)."""
        return Renewing(auto_renew=not self.ends_after_next)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request; the caller adds who asked.

    ``wish`` is the new standing wish. ``effective_on`` is the day through the end of which the subscription
    runs when cancelled, or, when resumed, the expiry that is renewed again. ``cancel_by`` is that of the term
    asked in.
    """

    outcome: Outcome
    wish: Renewing
    received_at: datetime
    cancel_by: date
    effective_on: date
    sentence: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """The term that the last renewal followed. Its days go on for two weeks after that renewal was done."""

    expires_on: date
    cancel_by: date
    """Last day on which a cancellation would have stopped that renewal."""
    ends_at: datetime
    """The first instant after it; until then a cancellation is about that renewal, and late (R8)."""


def decide_cancel(
    wish: Renewing,
    plan: Milestones,
    term: Term,
    next_expires_on: date,
    received_at: datetime,
    renewal_settled: bool,
    renewed: Renewed | None = None,
) -> Decision:
    """Decide a cancellation: accepted in time (R7), deferred when late (R8), no change when repeated (R10).

    Only ``received_at`` tells in time from late (R3). Were a renewal settled although the cancellation had
    been received in time, it is accepted all the same and the caller gives the payment back (R20).
    ``next_expires_on`` is the expiry of the next term. ``renewed`` is the term before this one, whose days may
    still run. Raises ``NaiveInstant``.
    """
    if renewed is not None and require_aware(received_at) < renewed.ends_at:
        return _after_the_renewal(wish, term, received_at, renewed)
    last_day = plan.cancel_by
    in_time = require_aware(received_at) < plan.cancel_until
    lapsed = received_at >= plan.term_ends_at
    fate = "has gone ahead" if renewal_settled else "goes ahead only if paid late" if lapsed else "goes ahead"

    def answer(outcome: Outcome, new_wish: Renewing, ends_on: date, sentence: str) -> Decision:
        return Decision(outcome, new_wish, received_at, last_day, ends_on, sentence)

    if not wish.auto_renew:
        sentence = f"The renewal was already cancelled; the subscription ends on {in_words(term.expires_on)}."
        return answer(Outcome.NO_CHANGE, wish, term.expires_on, sentence)

    if in_time:
        sentence = (
            f"The renewal is cancelled. The license stays covered through {in_words(term.expires_on)}, "
            "and the subscription ends then."
        )
        if renewal_settled:
            sentence += " What was already paid for the renewal is given back."
        return answer(Outcome.ACCEPTED, Renewing(auto_renew=False), term.expires_on, sentence)

    if wish.ends_after_next:
        sentence = (
            f"The cancellation was already noted: the renewal due by {in_words(term.expires_on)} {fate}, "
            f"and the subscription ends on {in_words(next_expires_on)}."
        )
        return answer(Outcome.NO_CHANGE, wish, next_expires_on, sentence)

    sentence = (
        f"The last day to cancel the renewal due by {in_words(term.expires_on)} was {in_words(last_day)}, "
        f"so this renewal {fate}. "
        f"The cancellation is kept: the subscription ends on {in_words(next_expires_on)}."
    )
    return answer(Outcome.DEFERRED, Renewing(ends_after_next=True), next_expires_on, sentence)


def _after_the_renewal(wish: Renewing, term: Term, received_at: datetime, renewed: Renewed) -> Decision:
    """Decide a cancellation that came when the renewal it is about was done already: late, and kept (R8)."""
    ends_on = in_words(term.expires_on)
    if not wish.auto_renew:
        outcome = Outcome.NO_CHANGE
        sentence = f"The cancellation was already noted: the subscription ends on {ends_on}."
    else:
        outcome = Outcome.DEFERRED
        sentence = (
            f"The last day to cancel the renewal due by {in_words(renewed.expires_on)} was "
            f"{in_words(renewed.cancel_by)}, so this renewal has gone ahead. "
            f"The cancellation is kept: the subscription ends on {ends_on}."
        )
    return Decision(
        outcome, Renewing(auto_renew=False), received_at, renewed.cancel_by, term.expires_on, sentence
    )


def decide_resume(
    wish: Renewing,
    plan: Milestones,
    term: Term,
    next_expires_on: date,
    received_at: datetime,
    renewal_settled: bool,
) -> Decision:
    """Decide a resumption (R9, R10): it takes back a cancellation of either kind, or changes nothing.

    Past ``renews_at``, the instant at which the renewal is due, an accepted one means that the renewal starts
    at once. Raises ``TermOver`` when received after ``expires_on`` has ended, ``NaiveInstant``.
    """
    if require_aware(received_at) >= plan.term_ends_at:
        raise TermOver(received_at, term.expires_on)

    late_cancel_kept = wish.auto_renew and wish.ends_after_next
    effective_on = next_expires_on if renewal_settled or late_cancel_kept else term.expires_on
    outcome = Outcome.NO_CHANGE if wish == Renewing() else Outcome.ACCEPTED
    again = "already on" if outcome is Outcome.NO_CHANGE else "on again"
    sentence = f"Auto-renewal is {again}: the license will be renewed beyond {in_words(effective_on)}."
    if not wish.auto_renew and not renewal_settled:
        renews_on = in_words(plan.renews_on)
        due = received_at >= plan.renews_at
        sentence += f" The renewal date {'was' if due else 'is'} {renews_on}"
        sentence += ", so the renewal starts at once." if due else "."
    return Decision(outcome, Renewing(), received_at, plan.cancel_by, effective_on, sentence)
