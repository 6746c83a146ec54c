"""The rules as a small program: what becomes of one subscription, given what is said to it and when.

R2, R3, R7–R10 and R22, written apart from `domain/`; it knows neither workflows nor tables. One renewal is lived
through, from months before the expiry to more than a month after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from chaos.checker import dates

PRICE_MINOR = 216_00
RETRIES = (12, 9, 5, 2, 0)
LATE_DAYS = 30


@dataclass(frozen=True)
class Said:
    """A message that arrived: `cancel`, `resume`, or `money`, which the workflow is told of or not."""

    kind: str
    at: datetime
    request_id: str = ""
    told: bool = True


@dataclass(frozen=True)
class Answer:
    """The answer to a cancel or resume; `refused` and `ended` have no dates."""

    outcome: str
    cancel_by: date | None = None
    effective_on: date | None = None


@dataclass
class Fate:
    """What became of it."""

    answers: list[Answer] = field(default_factory=list)
    paid_at: datetime | None = None
    lapsed: bool = False
    state: str = "active"
    auto_renew: bool = True
    left_minor: int = 0
    """Credit that is not used."""


class Life:
    """One subscription, by the rules."""

    def __init__(self, expires_on: date, credit_minor: int) -> None:
        self.expires_on = expires_on
        self.next_expires_on = dates.year_on(expires_on, expires_on.day)
        self.fate = Fate(left_minor=credit_minor)
        self.ends_after_next = False
        self._known: dict[str, Answer] = {}

    def live(self, said: Sequence[Said], until: datetime) -> Fate:
        """Everything in the order of time."""
        happens: list[tuple[datetime, int, Said | str]] = [(one.at, 1, one) for one in said]
        happens += [(at, 0, what) for at, what in self.edges()]
        for at, _, what in sorted(happens, key=lambda one: one[:2]):
            if at <= until:
                if isinstance(what, Said):
                    self._hear(what)
                else:
                    self._time(what, at)
        return self.fate

    def edges(self) -> list[tuple[datetime, str]]:
        """The instants at which something becomes due, possible or impossible."""
        tries = (self.expires_on - timedelta(days=days) for days in RETRIES)
        return [
            (dates.cut_off(self.expires_on), "cut-off"),
            (dates.renews_at(self.expires_on), "due"),
            *((dates.local(day, time(9)), "try") for day in tries),
            (dates.ends_at(self.expires_on), "term over"),
            (dates.ends_at(self.expires_on + timedelta(days=LATE_DAYS)), "too late"),
        ]

    # ---- time

    def _time(self, what: str, at: datetime) -> None:
        fate = self.fate
        due = what == "due" and fate.auto_renew and fate.state == "active"
        if due or (what == "try" and fate.state == "collecting"):
            self._collect(at)
        elif what == "term over" and fate.paid_at is None:
            if fate.state == "collecting":
                fate.state, fate.lapsed = "lapsed", True
            elif not fate.auto_renew:
                fate.state = "expired"
        elif what == "too late" and fate.state == "lapsed":
            fate.state, fate.auto_renew = "over", False

    def _collect(self, at: datetime) -> None:
        """All of it from credit, or wait (R22)."""
        fate = self.fate
        if fate.left_minor < PRICE_MINOR:
            fate.state = "lapsed" if fate.lapsed else "collecting"
            return
        fate.left_minor -= PRICE_MINOR
        fate.paid_at = at
        fate.auto_renew = not self.ends_after_next
        fate.state = "active" if fate.auto_renew else "cancelled"
        self.ends_after_next = False

    # ---- messages

    def _hear(self, said: Said) -> None:
        fate = self.fate
        if said.kind == "money":
            fate.left_minor += PRICE_MINOR
            if said.told and fate.state in ("collecting", "lapsed"):
                self._collect(said.at)
            return
        if fate.state in ("expired", "over"):
            answer = Answer("ended")
        elif said.request_id and said.request_id in self._known:
            answer = self._known[said.request_id]  # R10
        else:
            answer = self._cancel(said.at) if said.kind == "cancel" else self._resume(said.at)
            if said.request_id and answer.outcome != "refused":
                self._known[said.request_id] = answer
        fate.answers.append(answer)

    def _cancel(self, at: datetime) -> Answer:
        fate = self.fate
        last_day = self.expires_on - timedelta(days=15)
        if fate.paid_at is not None:  # about the term that was just renewed, or about the new one
            about_the_old = at < dates.ends_at(self.expires_on)
            if not about_the_old:
                last_day = self.next_expires_on - timedelta(days=15)
            outcome = "no_change" if not fate.auto_renew else "deferred" if about_the_old else "accepted"
            fate.auto_renew, fate.state = False, "cancelled"
            return Answer(outcome, last_day, self.next_expires_on)
        if not fate.auto_renew:
            return Answer("no_change", last_day, self.expires_on)
        if at < dates.cut_off(self.expires_on):
            fate.auto_renew, fate.state, self.ends_after_next = False, "cancelled", False
            return Answer("accepted", last_day, self.expires_on)
        outcome = "no_change" if self.ends_after_next else "deferred"
        self.ends_after_next = True
        return Answer(outcome, last_day, self.next_expires_on)

    def _resume(self, at: datetime) -> Answer:
        fate = self.fate
        if fate.paid_at is not None:
            outcome = "no_change" if fate.auto_renew else "accepted"
            fate.auto_renew, fate.state = True, "active"
            return Answer(outcome, self.next_expires_on - timedelta(days=15), self.next_expires_on)
        if at >= dates.ends_at(self.expires_on):
            return Answer("refused")
        was_off, was_last = not fate.auto_renew, self.ends_after_next
        last_day = self.expires_on - timedelta(days=15)
        answer = Answer(
            "accepted" if was_off or was_last else "no_change",
            last_day,
            self.next_expires_on if was_last and not was_off else self.expires_on,
        )
        self.ends_after_next = False
        if was_off:
            fate.auto_renew, fate.state = True, "active"
            if at >= dates.renews_at(self.expires_on):
                self._collect(at)  # R9: at once
        return answer
