"""Doing what is known to come: as customers and staff do it, through the one door and the same tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from db import customers, grants, subscriptions
from db.subscriptions import Held
from domain.messages import AddAddons, Cancel, Resume
from domain.money import NotMoney, parse_minor
from forecast.events import Event, What
from starter import NotRunning, RefusedByRule

BY = "forecast"
CARDS = {"pays": "pm_card_visa", "declines": "pm_card_chargeDeclined"}


@dataclass
class Actor:
    """Does events on a stack whose card provider and vendor are sandboxes."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    not_done: list[str] = field(default_factory=list)
    """Each event that was refused, and why."""

    async def do(self, event: Event, at: datetime) -> None:
        """Do it; `at` is what the clocks of the customer's subscriptions show."""
        try:
            refused = await self._do(event, at)
        except NotRunning:
            refused = "it has ended by then"
        except (RefusedByRule, NotMoney) as said:
            refused = str(said)
        if refused:
            self.not_done.append(f"{event}: {refused}")

    async def _do(self, event: Event, at: datetime) -> str:
        subscription_id, request_id = event.subscription_id, f"{BY}-{event.on}"
        match event.what:
            case What.CANCEL:
                wish = Cancel(by=BY, request_id=request_id)
                return _taken((await starter.cancel(self.client, subscription_id, wish)).decision)
            case What.RESUME:
                again = Resume(by=BY, request_id=request_id)
                return _taken((await starter.resume(self.client, subscription_id, again)).decision)
            case What.ADDONS:
                names = tuple(name.strip() for name in event.value.split(";"))
                order = AddAddons(addons=names, by=BY, request_id=request_id)
                answer = (await starter.add_addons(self.client, subscription_id, order)).answer
                if answer is None:
                    return _taken(answer)
                return "" if answer.outcome == "accepted" else answer.reason or "it waits to be paid"
            case What.GRANT:
                waiting = await self._grant(event, at)
            case What.CARD:
                waiting = await self._card(event)
        for one in waiting:
            await starter.payment_changed(self.client, one, BY)
        return ""

    async def _grant(self, event: Event, at: datetime) -> list[str]:
        async with self.sessions.begin() as session:
            held = await self._held(session, event)
            currency = held.subscription.currency
            await grants.grant(
                session,
                held.customer.id,
                "promotional",
                parse_minor(event.value, currency),
                currency,
                reference=f"{BY}/{event}",
                reason="known to come",
                by=BY,
                at=at,
            )
            return await customers.waiting_for_money(session, held.customer.id)

    async def _card(self, event: Event) -> list[str]:
        if event.value not in CARDS:
            raise RefusedByRule(f"a card {' or '.join(CARDS)}")
        async with self.sessions.begin() as session:
            held = await self._held(session, event)
            held.customer.card_token = CARDS[event.value]
            return await customers.waiting_for_money(session, held.customer.id)

    async def _held(self, session: AsyncSession, event: Event) -> Held:
        return await subscriptions.held(session, event.subscription_id)


def _taken(answer: object | None) -> str:
    return "" if answer is not None else "no worker took it up"
