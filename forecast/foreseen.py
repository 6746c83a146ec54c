"""What a forecast has seen: its subjects, what happens to them, and what is left on accounts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from domain.foresight import Account, Subject
from domain.happening import Happening


@dataclass(frozen=True)
class Foreseen:
    """One forecast, by one set of assumptions."""

    began_at: datetime
    until: date
    assumptions: tuple[str, ...]
    """What differs from the settings, in words."""
    subjects: dict[str, Subject]
    """By subscription."""
    happenings: tuple[Happening, ...]
    credits_now: dict[Account, int]
    """Minor units that customers had to use when the forecast was made."""
    credits_left: dict[Account, int]
    """The same at the horizon, without grants that have expired."""
    problems: tuple[str, ...] = ()
    """What could not be foreseen, and why."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time by step."""

    def plus(self, other: Foreseen) -> Foreseen:
        """Both together: forecasts of two pieces of one book, which share no customer."""
        happened = sorted(
            (*self.happenings, *other.happenings), key=lambda one: (one.on, one.subscription_id, one.kind)
        )
        steps = self.seconds.keys() | other.seconds.keys()
        return replace(
            self,
            subjects=self.subjects | other.subjects,
            happenings=tuple(happened),
            credits_now=self.credits_now | other.credits_now,
            credits_left=self.credits_left | other.credits_left,
            problems=self.problems + other.problems,
            seconds={
                one: round(self.seconds.get(one, 0) + other.seconds.get(one, 0), 2) for one in sorted(steps)
            },
        )

    def of(self, subscription_id: str) -> Subject:
        """Whom a happening is about."""
        return self.subjects[subscription_id]

    def facts(self) -> dict[str, Any]:
        """What it was and how long it took, as JSON values."""
        return {
            "began_at": self.began_at,
            "until": self.until,
            "assumptions": list(self.assumptions),
            "subscriptions": len(self.subjects),
            "problems": list(self.problems),
            "seconds": self.seconds,
        }
