"""What customers did before a test begins, done as the portal does it but without its pages."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

import starter
from db import grants, import_reports, requests, subscriptions
from db.identifiers import new_id
from db.models.license_update import LicenseUpdate
from db.quotes import Quoting
from db.requests import Placing
from domain.intake_problem import Problem
from domain.messages import AddAddons, OrderAnswer, Quote
from domain.request_form import Form, check_form
from tests.eventually import eventually
from tests.money.customer import Customer
from tests.money.subscribed import Subscribed
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


async def update_of(world: World, answer: OrderAnswer) -> str:
    """The id of the license update that an order has led to."""

    async def owed() -> str | None:
        query = select(LicenseUpdate.id).where(LicenseUpdate.order_id == answer.order_id)
        async with world.sessions() as session:
            return (await session.scalars(query)).one_or_none()

    async def is_owed() -> bool:
        return await owed() is not None

    await eventually(is_owed, "the license update is owed")
    return str(await owed())


async def bad_file(world: World) -> str:
    """A file with a bad row that somebody has checked; the id of the check."""
    check_id = new_id("chk")
    problems = [Problem(3, "size", "'999' is not a size", "Possible: 250.")]
    async with world.sessions.begin() as session:
        await import_reports.keep(
            session, check_id, "a.csv", "staff", datetime.now(UTC), 1, 0, problems, "a test"
        )
    return check_id
