"""Recording purchases (R19) and seeing to it that their renewals come: new ones started, those that were off asked.

What is recorded is committed before anyone is asked. Should this process die between the two, the same purchase given
again asks what was not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from db import purchases
from db.arrivals import Storing
from db.purchases import Recorded, Stored
from domain.intake_problem import Problem
from domain.messages import Resume
from domain.purchase import Purchase
from reception.licenses import see_started
from starter import NotRunning, RefusedByRule

Renewal = Literal["on", "collecting", "turned_on", "asked", "off", "expired"]
"""Whether it will be renewed: it was to be; it was waiting for money and is told; it was off and is on again; that was
left for a worker to decide; it was cancelled after the purchase; or the license has expired and needs a request."""


Progressing = Callable[[str, int, int], None]
"""Told what is done, and how many of how many are."""


def unseen(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


class SomeRefused(Exception):
    """Purchases are refused and the others were not wanted without them: nothing was recorded."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} purchases are refused")
        self.problems = problems


@dataclass(frozen=True)
class Told:
    """A recorded purchase and what its subscription's workflow said."""

    recorded: Recorded
    renewal: Renewal

    def as_document(self) -> dict[str, Any]:
        """The answer as JSON."""
        recorded = self.recorded
        return {
            "reference": recorded.reference,
            "new": recorded.new,
            "grant": recorded.grant_id,
            "customer": recorded.customer_id,
            "subscription": recorded.subscription_id,
            "new_license": recorded.taken_new_key,
            "past_cancel_by": recorded.window_closed,
            "renewal": self.renewal,
        }


@dataclass(frozen=True)
class Recording:
    """One caller's way to the tables and to the workflows."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    storing: Storing
    progress: Progressing = unseen

    async def record(self, purchase: Purchase) -> Told:
        """Record a purchase for a key that is here. Raises PurchaseRefused."""
        async with self.sessions.begin() as session:
            recorded = await purchases.record(session, self.storing, purchase)
        return await self._tell(recorded)

    async def store(
        self, given: Iterable[Purchase], skip_refused: bool = False
    ) -> tuple[list[Told], list[Problem]]:
        """Record purchases whose keys may be new, all or (unless `skip_refused`) none; then see to their renewals.

        The workflows of new keys are started by an intake that goes on if this process dies. Raises SomeRefused.
        """
        await starter.start_intake(self.client, self.storing.intake_id)
        self.progress("storing", 0, 0)
        async with self.sessions.begin() as session:
            stored = await purchases.store(session, self.storing, given)
            if stored.refused and not skip_refused:
                raise SomeRefused(stored.refused)
        with suppress(TimeoutError):  # no worker is there: the intake waits for one, we need not
            async with asyncio.timeout(_patience_seconds(stored)):
                new = sum(recorded.taken_new_key for recorded in stored.recorded)
                await see_started(self.sessions, self.storing.intake_id, new, self._look)
        told = []
        for recorded in stored.recorded:
            told.append(await self._tell(recorded))
            self.progress("asking workflows", len(told), len(stored.recorded))
        return told, stored.refused

    def _look(self, started: int, total: int) -> None:
        self.progress("starting workflows", started, total)

    async def _tell(self, recorded: Recorded) -> Told:
        """Tell the workflow of the money (R22), and ask it to renew after all if that was off (R9)."""
        subscription_id, by = recorded.subscription_id, self.storing.requested_by
        if recorded.waits_for_money:
            await starter.payment_changed(self.client, subscription_id, by)
            return Told(recorded, "collecting")
        if recorded.over:
            return Told(recorded, "expired")
        if not recorded.resume:
            return Told(recorded, "on" if recorded.auto_renew else "off")
        try:
            request = Resume(by=by, request_id=recorded.request_id)
            taken = await starter.resume(self.client, subscription_id, request)
        except (NotRunning, RefusedByRule):
            return Told(recorded, "expired")
        return Told(recorded, "turned_on" if taken.decision else "asked")


def _patience_seconds(stored: Stored) -> float:
    """Starting takes milliseconds each; after so long no worker is there."""
    return starter.ANSWER_WITHIN.total_seconds() + len(stored.recorded) / 10
