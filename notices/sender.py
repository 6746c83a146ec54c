"""The sender of the outbox: claims what is due, writes the letter, sends it, records what came of it (R6).

It runs beside everything else and holds up nothing: no transaction is open while a mail server is talked to, a dead
server or a bounce costs one of its slots for some seconds, and whatever fails is logged, counted and tried again.
Logs name notices by id; an address, a name or a server's words are never in them (R28).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import outbox
from db.outbox import Claimed
from notices.letters import Letterhead, LetterNotWritten, letter
from notices.mailer import Mailer, MailNotSent, MailRefused, MailServerAway
from notices.patience import Patience
from notices.sealed import Seal, opened
from notices.tally import Failure, NoTally, Tally
from notices.turns import take_turns

RECORDING_PAUSES: Final = (0.0, 0.5, 1, 2, 5, 10, 20)
"""Seconds before each attempt to record: a letter that is out and not recorded would go out again."""

log = logging.getLogger("notices.sender")


@dataclass(frozen=True)
class Sender:
    """Sends the outbox's notices. Any number of them may run at once, on any number of machines (`db.outbox`)."""

    sessions: async_sessionmaker[AsyncSession]
    mailer: Mailer
    staff_address: str
    letterhead: Letterhead = field(default_factory=Letterhead)
    seal: Seal | None = None
    """Opens what lies sealed in the outbox."""
    patience: Patience = field(default_factory=Patience)
    tally: Tally = field(default_factory=NoTally)
    interval_seconds: float = 5.0
    """How often an empty outbox is looked into."""
    at_once: int = 4
    lease: timedelta = outbox.LEASE

    def __post_init__(self) -> None:
        """Raise ValueError for a lease that could run out while a letter is still being sent, or for no slots."""
        if self.lease.total_seconds() <= self.mailer.timeout_seconds:
            raise ValueError("the lease of a notice must be longer than the mailer's time-out")
        if self.at_once < 1:
            raise ValueError("a sender sends at least one letter at a time")

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop, then let what is under way finish: about the mailer's time-out at most."""
        await take_turns(stop, self._claim, self._deliver, self.at_once, self.interval_seconds)

    async def _claim(self, limit: int) -> list[Claimed]:
        try:
            async with self.sessions.begin() as session:
                return await outbox.claim(session, limit, datetime.now(UTC), self.lease)
        except Exception as failed:  # whatever the database does: the sender goes on, and looks again
            log.warning("the outbox cannot be read: %s", type(failed).__name__)
            return []

    async def _deliver(self, notice: Claimed) -> None:
        """One attempt, whose outcome is recorded. Never raises: a mistake of ours must not end the sender."""
        try:
            await self._attempt(notice)
        except Exception as wrong:
            log.error("notice %s (%s): %s", notice.id, notice.kind, type(wrong).__name__)

    async def _attempt(self, notice: Claimed) -> None:
        try:
            await self._send(notice)
        except MailServerAway as away:
            await self._failed(notice, "server_away", str(away))
        except MailNotSent as not_now:
            await self._failed(notice, "not_now", str(not_now))
        except MailRefused as refused:
            await self._failed(notice, "refused", str(refused))
        except LetterNotWritten as wrong:
            await self._failed(notice, "not_written", str(wrong))
        except Exception as wrong:  # it shows in log, row and metrics, and is tried again
            await self._failed(notice, "broken", type(wrong).__name__)
        else:
            await self._sent(notice)

    async def _send(self, notice: Claimed) -> None:
        written = letter(
            notice.kind,
            opened(self.seal, notice.facts),
            notice.customer_name,
            audience=notice.audience,
            subscription_id=notice.subscription_id,
            letterhead=self.letterhead,
        )
        await self.mailer.send(written, self._addressee(notice), notice.id, datetime.now(UTC))

    def _addressee(self, notice: Claimed) -> str:
        if notice.to_email is not None:
            return notice.to_email
        theirs = None if notice.audience == "staff" else notice.customer_email
        return theirs or self.staff_address

    async def _sent(self, notice: Claimed) -> None:
        now = datetime.now(UTC)
        await self._record(notice, lambda session: outbox.sent(session, notice, now))
        log.info("notice %s (%s) sent, attempt %d", notice.id, notice.kind, notice.attempts)
        self.tally.sent(notice.kind)

    async def _failed(self, notice: Claimed, failure: Failure, error: str) -> None:
        next_attempt_at = self._next_attempt(notice, failure)
        await self._record(
            notice, lambda session: outbox.failed(session, notice, f"{failure}: {error}", next_attempt_at)
        )
        log.log(
            logging.ERROR if next_attempt_at is None else logging.WARNING,
            "notice %s (%s) not sent, attempt %d: %s; next attempt %s",
            notice.id,
            notice.kind,
            notice.attempts,
            failure,
            "never: it is given up"
            if next_attempt_at is None
            else f"{next_attempt_at:%Y-%m-%d %H:%M:%S} UTC",
        )
        self.tally.failed(notice.kind, failure, given_up=next_attempt_at is None)

    def _next_attempt(self, notice: Claimed, failure: Failure) -> datetime | None:
        if failure == "refused":
            return None
        return self.patience.next_attempt(
            notice.attempts, notice.written_at, datetime.now(UTC), server_away=failure == "server_away"
        )

    async def _record(self, notice: Claimed, write: Callable[[AsyncSession], Awaitable[None]]) -> None:
        for pause in RECORDING_PAUSES:
            await asyncio.sleep(pause)
            try:
                async with self.sessions.begin() as session:
                    await write(session)
            except Exception as failed:  # see _claim
                log.warning("notice %s: the outcome cannot be recorded: %s", notice.id, type(failed).__name__)
            else:
                return
        log.error(
            "notice %s: the outcome is not recorded; it is tried again when its lease is over", notice.id
        )
