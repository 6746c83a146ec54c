"""The portal while a server is away: pages still read, a wish is taken or clearly refused, nothing is lost."""

from __future__ import annotations

import asyncio

import pytest

from tests.eventually import eventually
from tests.money.world import World

WITHIN_SECONDS = 30


@pytest.fixture
async def owned(book, somebody):
    customer = book.customer("GB")
    subscribed = await book.subscription(customer)
    await somebody.sign_in(customer.email)
    return subscribed


async def ready(somebody):
    return (await somebody.http.get("/readyz")).status_code == 200


async def test_without_a_worker_a_cancellation_is_kept_and_decided_later(owned, somebody, worker):
    """R3: it is left with the server, which has its time of receipt."""
    await worker.stop()
    here = f"/subscriptions/{owned.id}"
    await somebody.open(f"{here}/cancel")
    await somebody.submit(f"{here}/cancel")
    assert "Your request is received and kept" in somebody.text

    await worker.start()

    async def decided():
        return (await owned.row()).subscription.state == "cancelled"

    await eventually(decided, "the cancellation is decided")
    await somebody.open(here)
    assert "Will not renew" in somebody.text


async def test_without_temporal_pages_still_read_and_a_cancellation_is_refused_clearly(
    world: World, book, owned, somebody, jo, worker
):
    """What was not taken says so, keeps the form, and counts once when it is sent again; to staff too."""
    here = f"/subscriptions/{owned.id}"
    await somebody.open(f"{here}/cancel")
    other = await book.subscription(owned.customer)
    there = f"/staff/subscriptions/{other.id}"
    await jo.open(f"{there}/cancel")
    await worker.stop()
    await world.stack.temporal.stop()
    try:
        refused = await asyncio.gather(
            somebody.submit(f"{here}/cancel", reason="moved"),
            jo.submit(f"{there}/cancel", reason="by phone"),
        )
        assert [answer.status_code for answer in refused] == [503, 503]
        assert "Your cancellation was not taken" in somebody.text
        assert "nothing has been changed" in somebody.text
        again = somebody.form(f"{here}/cancel")
        assert ("reason", "moved") in again.fields
        health = await somebody.http.get("/readyz")
        assert (health.status_code, list(health.json()["warnings"])) == (200, ["temporal"])
        for path in ("/subscriptions", here, f"{here}/addons", "/credits", "/invoices"):
            assert (await somebody.open(path)).status_code == 200
        assert "was not taken" in jo.text
        on_behalf = jo.form(f"{there}/cancel")
        assert ("reason", "by phone") in on_behalf.fields
        whose = f"/staff/customers/{owned.customer.id}"
        for path in ("/staff", "/staff/updates", "/staff/requests", "/staff/search?q=nobody", whose, there):
            assert (await jo.open(path)).status_code == 200
    finally:
        await world.stack.temporal.start()
        await worker.start()

    async def taken():
        return "The renewal is cancelled." in (await somebody.send(again)).text

    await eventually(taken, "the same form is taken")
    assert len(await owned.notices("cancel_accepted")) == 1
    for _ in range(2):
        assert "The renewal is cancelled." in (await jo.send(on_behalf)).text
    assert len(await other.notices("cancel_accepted")) == 1


async def test_without_postgresql_there_is_a_plain_page_and_it_recovers_by_itself(
    world: World, owned, somebody, jo, worker
):
    await worker.stop()
    world.stack.postgres.kill()
    try:
        for visitor, path in ((somebody, "/subscriptions"), (jo, "/staff"), (jo, "/staff/updates")):
            answer = await visitor.open(path)
            assert answer.status_code == 503
            assert "Not available right now" in visitor.text
            assert answer.headers["retry-after"]
        assert (await somebody.http.get("/readyz")).status_code == 503
        assert (await somebody.http.get("/healthz")).status_code == 200
    finally:
        await world.stack.postgres.start()
        await (
            world.engine.dispose()
        )  # the test's own connections, of which none is asked so soon after its use
        await worker.start()

    async with asyncio.timeout(WITHIN_SECONDS):
        while not await ready(somebody):
            await asyncio.sleep(0.1)
    assert (await somebody.open("/subscriptions")).status_code == 200
    assert (await jo.open("/staff")).status_code == 200
