"""What a forecast takes for granted: the rules as they are set, or other ones, and how cards behave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from config import Settings
from domain.draws import drawn
from domain.pricing import percent

SEED = "evergreen"


@dataclass(frozen=True)
class Assumptions:
    """What differs from the settings; None or empty: as set. Rates are basis points."""

    notice_days: int | None = None
    loyalty_rate_bp: int | None = None
    price_file: Path | None = None
    decline_rate_bp: int | None = None
    churn_rate_bp: int | None = None
    holidays: frozenset[date] = frozenset()
    seed: str = SEED

    def leaves(self, email: str) -> bool:
        """Whether a customer is among those who leave; whether their card declines is another draw."""
        return self.churn_rate_bp is not None and drawn(self.seed, f"leaves/{email}", self.churn_rate_bp)

    @property
    def plain(self) -> bool:
        """Whether all is as set."""
        return replace(self, seed=SEED) == Assumptions()

    def settings(self, wanted: Settings, catalogue: Path) -> Settings:
        """The settings of a forecast: other days, other holidays, its own price list."""
        notice_days = wanted.notice_days if self.notice_days is None else self.notice_days
        return wanted.model_copy(
            update={
                "notice_days": notice_days,
                # The renewal date must lie after cancel-by (R4): a shorter notice moves it.
                "renew_days_before": min(wanted.renew_days_before, notice_days - 1),
                "extra_holidays": wanted.extra_holidays | self.holidays,
                "catalogue": catalogue,
            }
        )

    def in_words(self) -> list[str]:
        """Each thing that differs, as a reader is told."""
        said = []
        if self.notice_days is not None:
            said.append(f"notice of {self.notice_days} days")
        if self.loyalty_rate_bp is not None:
            said.append(f"loyalty rate of {percent(self.loyalty_rate_bp)}")
        if self.price_file is not None:
            said.append(f"prices of {self.price_file.name}")
        if self.decline_rate_bp is not None:
            said.append(f"{percent(self.decline_rate_bp)} of cards decline (seed {self.seed})")
        if self.churn_rate_bp is not None:
            said.append(f"{percent(self.churn_rate_bp)} of customers leave (seed {self.seed})")
        said += [f"bank holiday on {day}" for day in sorted(self.holidays)]
        return said


ALWAYS = (
    "Nobody cancels, resumes, orders or brings a new card on the way, but who is said to.",
    "A card pays, unless its last charge was declined; one that declines does so at every attempt.",
    "A payment that waits for the customer's confirmation is confirmed at the next attempt.",
    "Staff and the vendor do each license update at once, and the vendor refuses none.",
    "Credits are as they are now; none is granted on the way but what a renewal leaves (R19).",
)
"""What every forecast takes for granted."""
