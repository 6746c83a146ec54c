"""The portal dies between the change and its answer: the same request again finds the change made (R10, R25)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import httpx
from sqlalchemy import func, select, update

from db.models.api import ApiWrite
from db.models.order import Order
from tests.api.program import is_problem
from tests.eventually import eventually
from tests.portal.doings import ADDON


async def number_of(world, *conditions):
    async with world.sessions() as session:
        return (await session.scalars(select(func.count()).select_from(ApiWrite).where(*conditions))).one()


async def died(sending):
    """Whether nobody answered."""
    try:
        await sending
    except httpx.TransportError:
        return True
    return False


async def test_R25_killed_after_the_change_and_before_its_answer_is_kept_it_counts_once(world, book, billing):
    buyer, leaver = [await book.subscription(book.customer("GB")) for _ in range(2)]
    await buyer.customer.grant(1_000_00)
    quote = (await billing.post(f"/subscriptions/{buyer.id}/quotes", {"addons": [ADDON]})).json()
    order = (
        f"/subscriptions/{buyer.id}/orders",
        {"addons": [ADDON], "quote_id": quote["quote_id"]},
        "order",
    )
    cancel = (f"/subscriptions/{leaver.id}/cancel", {"reason": "moved"}, "cancel")
    portal = world.stack.programs["portal"]

    kept_back = AsyncExitStack()
    async with world.locked("LOCK TABLE audit IN EXCLUSIVE MODE"):  # no change is made before its line
        answers = [asyncio.create_task(died(billing.post(*wish))) for wish in (order, cancel)]

        async def claimed():
            return await number_of(world, ApiWrite.status.is_(None)) == len(answers)

        await eventually(claimed, "both keys are claimed")
        no_answer = "SELECT 1 FROM api_writes WHERE status IS NULL FOR UPDATE"
        await kept_back.enter_async_context(world.locked(no_answer))

    async def changed():
        bought = (await buyer.row()).license.addons == [ADDON]
        return bought and (await leaver.row()).subscription.state == "cancelled"

    await eventually(changed, "both changes are made")
    await eventually(lambda: world.waits_for_a_lock("api_writes"), "an answer is about to be kept")
    portal.kill()
    assert await asyncio.gather(*answers) == [True, True]
    await kept_back.aclose()
    await portal.start()

    assert is_problem(await billing.post(*cancel), 409, "under-way")
    async with world.sessions.begin() as session:  # the lease of whoever died runs out
        await session.execute(update(ApiWrite).values(leased_until=func.now()))
    ordered, cancelled = [await billing.post(*wish) for wish in (order, cancel)]

    assert (ordered.status_code, cancelled.status_code) == (201, 200)
    assert cancelled.json()["decision"]["outcome"] == "accepted"
    invoice = (await billing.get(f"/invoices/{ordered.json()['answer']['invoice']}")).json()
    assert (invoice["total_minor"], invoice["due_minor"]) == (quote["total_minor"], 0)
    assert await buyer.customer.credits() == [("promotional", 1_000_00 - quote["total_minor"])]
    async with world.sessions() as session:
        orders = (await session.scalars(select(Order.added_addons))).all()
    assert orders == [[ADDON]]
    assert len(await leaver.notices("cancel_accepted")) == 1
