"""All the instants of one term, computed once when it begins, so that everyone who waits reads the same plan.

Not a schedule that runs: the workflow waits for these. Pure arithmetic on R1, R2, R4, R6 and R22.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from domain import cancellation, collection
from domain.local_time import end_of, local_instant
from domain.term import Term

LAST_MINUTE = 23 * 60 + 30
"""Of a local day; nothing is planned later, so that a day's work is done on the day."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The days and hours by which a business plans every term; ``at`` is the local time of what it does."""

    zone: str = "Europe/London"
    notice_days: int = 15
    renew_days_before: int = 14
    reminder_days: tuple[int, ...] = (60, 30, 16)
    at: time = time(9, 0)
    late_days: int = 30
    spread_minutes: int = 0
    """What is due on one day is spread over so many minutes from ``at`` on; 0: all at once."""

    def milestones(self, term: Term, requested: date | None = None, whose: str = "") -> "Milestones":
        """Plan a term, ``requested`` being its own renewal date if it has one (R4), ``whose`` the subscription's id.

        Raises ``RenewalDateTooEarly``, ``RenewalDateAfterExpiry``.
        """
        renews_on = collection.renewal_date(
            term.expires_on, requested, self.notice_days, self.renew_days_before
        )
        return milestones(
            term,
            renews_on,
            self.zone,
            self.reminder_days,
            self.notice_days,
            self.time_of(whose),
            self.late_days,
        )

    def time_of(self, whose: str) -> time:
        """The local time of a subscription's milestones: the same every day and every year, never past the day."""
        if not self.spread_minutes:
            return self.at
        share = int.from_bytes(sha256(whose.encode()).digest()[:8]) / 2**64
        begins_minute = self.at.hour * 60 + self.at.minute
        minutes = min(self.spread_minutes, LAST_MINUTE - begins_minute)
        seconds = int((begins_minute + share * minutes) * 60)
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


@dataclass(frozen=True, slots=True)
class Milestones:
    """One term's plan; ``cancel_by`` and ``renews_on`` are local days, all else aware UTC instants."""

    reminders: tuple[tuple[int, datetime], ...]
    """Days before the expiry, and when to remind; earliest first (R6)."""
    cancel_by: date
    """Last day on which a cancellation stops the coming renewal (R2)."""
    cancel_until: datetime
    """The first instant that is too late for it (R2)."""
    renews_on: date
    renews_at: datetime
    """When the renewal is settled, which is also the first attempt to collect (R4)."""
    attempts: tuple[datetime, ...]
    """The later attempts to collect, the last on the day of expiry (R22)."""
    term_ends_at: datetime
    """The first instant after ``expires_on`` has ended; unpaid, the license lapses here (R22)."""
    late_until_at: datetime
    """The first instant at which a late payment no longer renews (R22)."""


def milestones(
    term: Term,
    renews_on: date,
    zone: str = "Europe/London",
    reminder_days: tuple[int, ...] = (60, 30, 16),
    notice_days: int = 15,
    at: time = time(9, 0),
    late_days: int = 30,
) -> Milestones:
    """Compute the plan of a term; ``at`` is the local time of reminders, the renewal and attempts to collect.

    ``renews_on`` comes from ``collection.renewal_date``, which has checked it. Reminders that would fall
    before the term starts are left out: they belong to a shorter notice than a short term has room for.
    """
    expires_on = term.expires_on
    earliest_first = sorted(set(reminder_days), reverse=True)
    reminders = [(days, expires_on - timedelta(days=days)) for days in earliest_first]
    later_attempts = collection.attempts(expires_on, renews_on)[1:]
    return Milestones(
        reminders=tuple((days, local_instant(on, at, zone)) for days, on in reminders if on in term),
        cancel_by=cancellation.cancel_by(expires_on, notice_days),
        cancel_until=cancellation.cancel_until(expires_on, zone, notice_days),
        renews_on=renews_on,
        renews_at=local_instant(renews_on, at, zone),
        attempts=tuple(local_instant(day, at, zone) for day in later_attempts),
        term_ends_at=end_of(expires_on, zone),
        late_until_at=end_of(collection.late_until(expires_on, late_days), zone),
    )
