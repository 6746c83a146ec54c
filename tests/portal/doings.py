"""What customers did before a test begins, done as the portal does it but without its pages."""

from __future__ import annotations

from datetime import UTC, datetime

import starter
from db import grants, requests, subscriptions
from db.identifiers import new_id
from db.quotes import Quoting
from db.requests import Placing
from domain.messages import AddAddons, OrderAnswer, Quote
from domain.request_form import Form, check_form
from tests.money.book import Customer, Subscribed
from tests.money.world import World

ADDON = "MAPI & EWS"


async def quote(world: World, subscribed: Subscribed, *addons: str) -> Quote:
    """A quote that holds."""
    settings = world.settings
    quoting = Quoting(settings.price_list(), settings.working_days())
    async with world.sessions.begin() as session:
        held = await subscriptions.held(session, subscribed.id)
        return await quoting.quote(session, held, addons or (ADDON,), datetime.now(UTC))


async def order_addons(world: World, subscribed: Subscribed, *addons: str) -> OrderAnswer:
    """Add-ons that are ordered and, from credits or card, paid."""
    made = await quote(world, subscribed, *addons)
    wish = AddAddons(addons=made.addons, quote_id=made.quote_id, by="customer", request_id=new_id("asked"))
    answer = (await starter.add_addons(world.client, subscribed.id, wish)).answer
    assert answer is not None
    return answer.model_copy(update={"quote": made})


async def give_credit(world: World, customer: Customer, amount_minor: int, reference: str) -> None:
    """Promotional credit under a reference that a person can read."""
    async with world.sessions.begin() as session:
        await grants.grant(
            session,
            customer.id,
            "promotional",
            amount_minor,
            customer.currency,
            reference=reference,
            reason="a late update",
            by="support:jo",
            at=datetime.now(UTC),
        )


async def ask_something(world: World, customer: Customer, text: str = "Can you call me?") -> str:
    """A request that waits for an answer; its id."""
    form = check_form("other", {"customer_email": customer.email, "text": text}, world.settings.price_list())
    assert isinstance(form, Form)
    placing = Placing("customer", datetime.now(UTC), world.settings.key_ring(), "GB")
    async with world.sessions.begin() as session:
        return (await requests.place(session, placing, form)).id
