"""The sender of webhooks: claims what is due, signs and posts it, records what came of it.

It runs beside everything else and holds up nothing. An endpoint that fails for days is disabled, and staff are told;
what happens meanwhile waits for `evergreen webhook-replay`. Logs name events and endpoints by id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import webhook_outbox
from db.webhook_outbox import Due
from notices.patience import Patience
from notices.sealed import Seal
from notices.turns import take_turns
from notices.webhook_post import Gone, NotDelivered, WebhookPost, payload

RECORDING_PAUSES: Final = (0.0, 0.5, 1, 2, 5, 10, 20)
DISABLED_AFTER: Final = timedelta(days=5)

log = logging.getLogger("notices.webhooks")


@dataclass(frozen=True)
class WebhookSender:
    """Sends webhooks. Any number may run at once (`db.webhook_outbox`)."""

    sessions: async_sessionmaker[AsyncSession]
    seal: Seal
    post: WebhookPost
    staff_address: str
    patience: Patience = field(default_factory=Patience)
    disabled_after: timedelta = DISABLED_AFTER
    """So long without one success."""
    interval_seconds: float = 2.0
    at_once: int = 8

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop, then let what is under way finish."""
        await take_turns(stop, self._claim, self._deliver, self.at_once, self.interval_seconds)

    async def _claim(self, limit: int) -> list[Due]:
        try:
            async with self.sessions.begin() as session:
                return await webhook_outbox.claim(session, limit, datetime.now(UTC))
        except Exception as failed:  # whatever the database does: the sender goes on, and looks again
            log.warning("webhooks cannot be read: %s", type(failed).__name__)
            return []

    async def _deliver(self, due: Due) -> None:
        """One attempt, whose outcome is recorded. Never raises: a mistake of ours must not end the sender."""
        try:
            await self._send(due)
        except Gone as gone:
            await self._failed(due, str(gone), timedelta(0))
        except NotDelivered as failed:
            await self._failed(due, str(failed), self.disabled_after)
        except Exception as wrong:  # a secret that cannot be opened, say: it shows in log and row
            await self._failed(due, type(wrong).__name__, self.disabled_after)
        else:
            now = datetime.now(UTC)
            await self._record(due, lambda session: webhook_outbox.delivered(session, due, now))
            log.info("webhook %s delivered to %s, attempt %d", due.event_id, due.endpoint_id, due.attempts)

    async def _send(self, due: Due) -> None:
        secret = self.seal.open(due.secret_ciphertext, due.endpoint_id)
        body = payload(due.kind, due.data, due.at)
        await self.post.send(due.url, secret, due.event_id, body, datetime.now(UTC))

    async def _failed(self, due: Due, error: str, disabled_after: timedelta) -> None:
        now = datetime.now(UTC)
        next_attempt_at = self.patience.next_attempt(due.attempts, due.written_at, now)

        async def write(session: AsyncSession) -> None:
            await webhook_outbox.failed(session, due, error, now, next_attempt_at)
            dead_since = now - disabled_after
            if await webhook_outbox.disable(session, due, dead_since, error, self.staff_address, now):
                log.error("webhook endpoint %s is disabled: %s", due.endpoint_id, error)

        log.warning(
            "webhook %s not delivered to %s, attempt %d: %s",
            due.event_id,
            due.endpoint_id,
            due.attempts,
            error,
        )
        await self._record(due, write)

    async def _record(self, due: Due, write: Callable[[AsyncSession], Awaitable[None]]) -> None:
        for pause in RECORDING_PAUSES:
            await asyncio.sleep(pause)
            try:
                async with self.sessions.begin() as session:
                    await write(session)
            except Exception as failed:  # see _claim
                log.warning("webhook %s: cannot be recorded: %s", due.event_id, type(failed).__name__)
            else:
                return
        log.error("webhook %s: not recorded; it is tried again when its lease is over", due.event_id)
