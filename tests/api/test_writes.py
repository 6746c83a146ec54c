"""Writes: repeated ones have one effect, whoever is away they are taken or clearly refused."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from db.models.audit import AuditRecord
from db.models.ledger import CreditGrant
from db.models.request import LicenseRequest
from tests.api.program import is_problem
from tests.eventually import eventually
from tests.money.world import World

ADDON = "MAPI & EWS"
GRANT = {"amount": "20.00", "currency": "GBP", "reference": "goodwill-17", "reason": "apology"}


async def count(world: World, model) -> int:
    async with world.sessions() as session:
        return len((await session.scalars(select(model))).all())


async def test_R7_R10_a_cancel_sent_twice_counts_once_and_is_answered_the_same(world, book, billing):
    subscribed = await book.subscription(book.customer("GB"))
    path = f"/subscriptions/{subscribed.id}/cancel"

    first = await billing.post(path, {"reason": "moved"}, key="cancel-1")
    second = await billing.post(path, {"reason": "moved"}, key="cancel-1")

    assert first.status_code == 200
    assert first.json()["decision"]["outcome"] == "accepted"
    assert second.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await subscribed.notices("cancel_accepted")) == 1
    async with world.sessions() as session:
        by = select(AuditRecord.actor).where(AuditRecord.action == "cancel")
        (actor,) = (await session.scalars(by)).all()
    assert actor.startswith("api:billing")

    resumed = await billing.post(f"/subscriptions/{subscribed.id}/resume")
    assert resumed.json()["decision"]["kind"] == "resume"
    shown = (await billing.get(f"/subscriptions/{subscribed.id}")).json()
    assert (shown["state"], shown["auto_renew"]) == ("active", True)


async def test_a_key_is_needed_and_stands_for_one_request(world, book, billing):
    customer = book.customer("GB")
    await book.subscription(customer)
    path = f"/customers/{customer.id}/credits"

    assert is_problem(await billing.post(path, GRANT, key=""), 400, "key-missing")
    assert (await billing.post(path, GRANT, key="grant-1")).status_code == 201
    other = await billing.post(path, GRANT | {"amount": "30.00"}, key="grant-1")
    assert is_problem(other, 422, "key-used-otherwise")
    assert (await billing.post(path, GRANT, key="grant-2")).json()["new"] is False
    refused = await billing.post(path, GRANT | {"amount": "30.00"}, key="grant-3")
    assert is_problem(refused, 409, "refused")
    assert await count(world, CreditGrant) == 1


async def test_what_was_wrong_may_be_mended_under_the_same_key(book, billing):
    customer = book.customer("GB")
    await book.subscription(customer)
    path = f"/customers/{customer.id}/credits"

    wrong = await billing.post(path, GRANT | {"amount": "20.001"}, key="mended")
    assert is_problem(wrong, 422, "invalid")
    assert wrong.json()["errors"][0]["at"] == "body.amount"
    assert (await billing.post(path, GRANT, key="mended")).status_code == 201


async def test_many_at_once_under_one_key_have_one_effect(world, book, billing):
    """One is done; the others are told to wait, or get its answer."""
    wish = {"kind": "other", "customer_email": "ann@example.com", "text": "Can you call me?"}

    answers = await asyncio.gather(*(billing.post("/requests", wish, key="call-me") for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert all(is_problem(answer, 409, "under-way") for answer in answers if answer.status_code == 409)
    assert await count(world, LicenseRequest) == 1
    again = await billing.post("/requests", wish, key="call-me")
    assert (await billing.get(again.headers["location"].removeprefix("/api/v1"))).json()["text"] == wish[
        "text"
    ]


async def test_R15_add_ons_are_charged_at_exactly_their_quote_and_once(book, billing):
    customer = book.customer("GB")
    subscribed = await book.subscription(customer)
    await customer.grant(1_000_00)
    here = f"/subscriptions/{subscribed.id}"

    quote = (await billing.post(f"{here}/quotes", {"addons": [ADDON]})).json()
    wish = {"addons": [ADDON], "quote_id": quote["quote_id"]}
    ordered = await billing.post(f"{here}/orders", wish, key="order-1")
    again = await billing.post(f"{here}/orders", wish, key="order-1")
    spent = await billing.post(f"{here}/orders", wish, key="order-2")

    assert ordered.status_code == 201
    assert again.json() == ordered.json()
    assert is_problem(spent, 409, "refused")
    number = ordered.json()["answer"]["invoice"]
    invoice = (await billing.get(f"/invoices/{number}")).json()
    assert (invoice["total_minor"], invoice["due_minor"]) == (quote["total_minor"], 0)
    assert (await billing.get(f"/invoices/{number}/pdf")).content.startswith(b"%PDF")
    listed = (await billing.get(f"/customers/{customer.id}/invoices")).json()
    assert [line["number"] for line in listed["data"]] == [number]
    order = (await billing.get(ordered.headers["location"].removeprefix("/api/v1"))).json()
    assert order["addons"] == [ADDON]


async def test_R3_without_a_worker_a_cancel_is_kept_and_decided_later(book, billing, worker):
    subscribed = await book.subscription(book.customer("GB"))
    await worker.stop()

    answer = await billing.post(f"/subscriptions/{subscribed.id}/cancel")
    assert (answer.status_code, answer.json()["decision"]) == (202, None)

    await worker.start()

    async def decided():
        return (await subscribed.row()).subscription.state == "cancelled"

    await eventually(decided, "the cancellation is decided")


async def test_without_temporal_lists_still_read_and_a_cancel_is_refused_clearly(
    world, book, billing, worker
):
    """And counts once when it is sent again."""
    customer = book.customer("GB")
    subscribed = await book.subscription(customer)
    path = f"/subscriptions/{subscribed.id}/cancel"
    await worker.stop()
    await world.stack.temporal.stop()
    try:
        refused = await billing.post(path, {}, key="during")
        assert is_problem(refused, 503, "not-taken")
        assert refused.headers["retry-after"]
        for read in (
            "/subscriptions",
            f"/subscriptions/{subscribed.id}",
            f"/customers/{customer.id}/credits",
        ):
            assert (await billing.get(read)).status_code == 200
    finally:
        await world.stack.temporal.start()
        await worker.start()

    async def taken():
        return (await billing.post(path, {}, key="during")).status_code == 200

    await eventually(taken, "the same request is taken")
    assert len(await subscribed.notices("cancel_accepted")) == 1


async def test_without_postgresql_every_answer_is_a_problem_and_it_recovers(world, book, billing, worker):
    await worker.stop()
    world.stack.postgres.kill()
    try:
        answer = await billing.get("/subscriptions")
        assert is_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]
    finally:
        await world.stack.postgres.start()
        await world.engine.dispose()  # the test's own connections: a dying backend may still answer a ping
        await worker.start()

    async def recovered():
        return (await billing.get("/subscriptions")).status_code == 200

    await eventually(recovered, "the API answers again")
