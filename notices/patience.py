"""How long to wait before a notice is tried again, and when to give up. Pure: the instants are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Patience:
    """Waits double from the first to the longest.

    While the mail server itself is away the wait is never longer than `longest_without_server`: it is nobody's
    letter that is at fault, and all should go out soon after it is back. A notice is given up when it is older than
    `give_up_after`, but never before it was tried `least_attempts` times: a sender that was switched off for a week
    has not tried anything.
    """

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=6)
    longest_without_server: timedelta = timedelta(minutes=10)
    give_up_after: timedelta = timedelta(days=5)
    least_attempts: int = 10

    def next_attempt(
        self, attempts: int, written_at: datetime, now: datetime, server_away: bool = False
    ) -> datetime | None:
        """When to try again after so many attempts; None: give up."""
        if attempts >= self.least_attempts and now - written_at >= self.give_up_after:
            return None
        longest = min(self.longest, self.longest_without_server) if server_away else self.longest
        doubled: timedelta = self.first * 2 ** min(attempts - 1, 30)  # more would outgrow a timedelta
        return now + min(doubled, longest)
