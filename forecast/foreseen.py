"""What a forecast has seen: its subjects, what happens to them, and what is left on accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
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
