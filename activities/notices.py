"""Telling the customer, from inside a workflow: reminders. Other notices are written with the change they tell of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio import activity

from activities.letters import renewal_facts
from db import grants, notices, subscriptions
from domain.catalogue import Catalogue
from domain.tasks import Reminder


@dataclass(frozen=True)
class NoticeActivities:
    """Writes notices into the outbox."""

    sessions: async_sessionmaker[AsyncSession]
    catalogue: Catalogue

    @activity.defn
    async def remind(self, reminder: Reminder) -> None:
        """Remind of the coming renewal, once per term and kind (R6)."""
        async with self.sessions.begin() as session:
            held = await subscriptions.held(session, reminder.subscription_id)
            credits = await grants.usable_grants(
                session, held.customer.id, held.subscription.currency, reminder.plan.renews_on, lock=False
            )
            await notices.tell(
                session,
                kind=f"reminder_{reminder.days_before}",
                customer_id=held.customer.id,
                subscription_id=held.subscription.id,
                term_expires_on=reminder.term.expires_on,
                facts=renewal_facts(self.catalogue, held, reminder.plan, credits),
                at=reminder.at,
            )
