"""Taking a customer's newest card into use, once the payment provider has it (R22): told by it, or seen on return."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from db import customers
from payments.payment_provider import PaymentProvider


async def use_newest_card(
    sessions: async_sessionmaker[AsyncSession],
    temporal: Client,
    provider: PaymentProvider,
    customer_reference: str,
    at: datetime,
) -> list[str] | None:
    """Use it from now on; the ids of the subscriptions that are now collected, None without a card. Safe to repeat.

    Raises PaymentError, RPCError.
    """
    saved = await provider.use_newest_card(customer_reference)
    if saved is None:
        return None
    async with sessions.begin() as session:
        await customers.save_card(session, saved)
    async with sessions.begin() as session:  # only now: a workflow that is told looks for the card
        waiting = await customers.waiting_for_card(session, saved, at)
        for subscription_id in waiting:
            await starter.payment_changed(temporal, subscription_id, by="payment provider")
    return waiting
