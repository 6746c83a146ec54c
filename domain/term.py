"""The term of a license (R1): whole months of inclusive dates, one after the other, never drifting.

Not the calendar of a renewal: see ``collection`` for its dates and ``milestones`` for all of them as
instants.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(eq=False)
class TermEndsBeforeItStarts(ValueError):
    """The two dates of a term are the wrong way round."""

    starts_on: date
    expires_on: date

    def __str__(self) -> str:
        return f"a term cannot start on {self.starts_on} and expire before, on {self.expires_on}"


@dataclass(eq=False)
class NoSuchAnchor(ValueError):
    """The anchor is not a day of a month."""

    anchor_day: int

    def __str__(self) -> str:
        return f"{self.anchor_day} is not a day of the month: an anchor is 1 to 31"


@dataclass(eq=False)
class NotWholeMonths(ValueError):
    """A term is one month or more."""

    months: int

    def __str__(self) -> str:
        return f"a term cannot last {self.months} months: it is 1 or more"


@dataclass(frozen=True, slots=True)
class Term:
    """Inclusive dates; the license is covered through the end of ``expires_on``, business time zone."""

    starts_on: date
    expires_on: date

    def __post_init__(self) -> None:
        if self.expires_on < self.starts_on:
            raise TermEndsBeforeItStarts(self.starts_on, self.expires_on)

    def __contains__(self, day: date) -> bool:
        return self.starts_on <= day <= self.expires_on

    @property
    def days(self) -> int:
        """Count the days of the term, both ends included."""
        return self.days_left(self.starts_on)

    def days_left(self, on: date) -> int:
        """Count the days from ``on`` through ``expires_on``, both included (R14)."""
        return (self.expires_on - on).days + 1


def term_ending(expires_on: date, months: int = 12, anchor_day: int | None = None) -> Term:
    """Find the term that ends on ``expires_on`` (R1): it starts the day after the anchored end before.

    ``anchor_day`` is the day of the month of the original expiry, ``None`` for that of ``expires_on``.
    Raises ``NoSuchAnchor``, ``NotWholeMonths``.
    """
    return Term(_anchored(expires_on, -_whole(months), anchor_day) + ONE_DAY, expires_on)


def next_term(term: Term, months: int = 12, anchor_day: int | None = None) -> Term:
    """Find the term after this one (R1): from the day after to the anchor day, clamped to the month.

    Anchor 29 and expiry 2028-02-29 give 2029-02-28, 2030-02-28, 2031-02-28, 2032-02-29. ``anchor_day`` is the
    day of the month of the original expiry: pass it along, for ``None`` takes that of this term and so
    forgets a clamped one. Raises ``NoSuchAnchor``, ``NotWholeMonths``.
    """
    return Term(term.expires_on + ONE_DAY, _anchored(term.expires_on, _whole(months), anchor_day))


def _anchored(expires_on: date, months: int, anchor_day: int | None) -> date:
    anchor = expires_on.day if anchor_day is None else anchor_day
    if not 1 <= anchor <= 31:
        raise NoSuchAnchor(anchor)
    year, month0 = divmod(expires_on.year * 12 + expires_on.month - 1 + months, 12)
    return date(year, month0 + 1, min(anchor, monthrange(year, month0 + 1)[1]))


def _whole(months: int) -> int:
    if months < 1:
        raise NotWholeMonths(months)
    return months
