"""The dates of a renewal: when it is settled (R4), when collecting is tried again, how late it may be (R22).

Dates only: ``milestones`` turns them into instants, and nothing here knows about cards.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from domain.cancellation import cancel_by

RETRY_DAYS_BEFORE_EXPIRY: Final = (12, 9, 5, 2, 0)


NO_CARD: Final = "NoCard"
TO_CONFIRM: Final = "ConfirmationNeeded"
DECLINED: Final = "CardDeclined"
WITHDRAWN: Final = f"{DECLINED}:confirmation_withdrawn"
"""Why money is missing: what operators filter by, and letters explain. ``DECLINED`` is followed by the card's code."""


@dataclass(eq=False)
class RenewalDateTooEarly(ValueError):
    """The renewal would be settled while a cancellation could still stop it."""

    renews_on: date
    cancel_by: date

    def __str__(self) -> str:
        return (
            f"the renewal date {self.renews_on} is not after {self.cancel_by}, the last day to cancel: "
            f"write {self.cancel_by + timedelta(days=1)} or later, or leave it empty"
        )


@dataclass(eq=False)
class RenewalDateAfterExpiry(ValueError):
    """The renewal would be settled when the license has already expired."""

    renews_on: date
    expires_on: date

    def __str__(self) -> str:
        return (
            f"the renewal date {self.renews_on} is after the expiry {self.expires_on}: "
            f"write {self.expires_on} or earlier, or leave it empty"
        )


def renewal_date(
    expires_on: date, requested: date | None = None, notice_days: int = 15, days_before: int = 14
) -> date:
    """Tell the local day on which the renewal is settled (R4): as requested, or ``days_before`` the expiry.

    Either must lie after cancel-by and not after ``expires_on``: raises ``RenewalDateTooEarly``,
    ``RenewalDateAfterExpiry``.
    """
    renews_on = requested if requested is not None else expires_on - timedelta(days=days_before)
    last_day_to_cancel = cancel_by(expires_on, notice_days)
    if renews_on <= last_day_to_cancel:
        raise RenewalDateTooEarly(renews_on, last_day_to_cancel)
    if renews_on > expires_on:
        raise RenewalDateAfterExpiry(renews_on, expires_on)
    return renews_on


def attempts(expires_on: date, renews_on: date) -> tuple[date, ...]:
    """List the local days to collect on (R22): the renewal date, then 12, 9, 5, 2 and 0 days before."""
    retries = (expires_on - timedelta(days=days) for days in RETRY_DAYS_BEFORE_EXPIRY)
    return (renews_on, *(day for day in retries if day > renews_on))


def late_until(expires_on: date, days: int = 30) -> date:
    """Tell the last local day on which a payment still renews a lapsed license, late (R22)."""
    return expires_on + timedelta(days=days)
