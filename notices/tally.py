"""What the sender counts, as a callback of whoever keeps metrics; it must not wait for anything."""

from __future__ import annotations

from typing import Literal, Protocol

Failure = Literal["server_away", "not_now", "refused", "not_written", "broken"]
"""Why an attempt failed; `docs/notices.md` tells what to do about each."""


class Tally(Protocol):
    """Counts attempts."""

    def sent(self, kind: str) -> None:
        """One letter more was taken by the mail server."""

    def failed(self, kind: str, failure: Failure, given_up: bool) -> None:
        """One attempt more failed; `given_up`: it was the last one."""


class NoTally:
    """Counts nothing."""

    def sent(self, kind: str) -> None:
        """Do nothing."""

    def failed(self, kind: str, failure: Failure, given_up: bool) -> None:
        """Do nothing."""
