"""Whoever wants to be told is told, signed, at least once, for days; and never of a secret."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from db import webhook_outbox, webhooks
from db.models.notice import Notice
from db.models.webhook import WebhookDelivery, WebhookEndpoint, WebhookEvent
from domain.announcements import KINDS, NotAnEndpoint, check_endpoint, data_of, kinds_of
from notices.patience import Patience
from sandbox import ports
from tests.api.receiver import receiving
from tests.eventually import eventually
from tests.money.world import World

QUICK = Patience(first=timedelta(milliseconds=20), longest=timedelta(milliseconds=50))


@pytest.fixture
async def receiver(world: World, book):
    """Somebody who is told of everything."""
    async with receiving(ports.free()) as made:
        async with world.sessions.begin() as session:
            added = await webhooks.add(
                session, world.settings.key_ring(), made.url, [], "support:jo", datetime.now(UTC)
            )
        made.secret, made.id = added.secret, added.id
        yield made


@asynccontextmanager
async def sending(world: World, **changes):
    """A sender that tries again at once."""
    stop = asyncio.Event()
    async with httpx.AsyncClient(trust_env=False) as http:
        sender = world.settings.webhook_sender(world.sessions, http)
        quick = replace(sender, patience=QUICK, interval_seconds=0.02, **changes)
        task = asyncio.create_task(quick.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task


async def rows(world: World, model):
    async with world.sessions() as session:
        return (await session.scalars(select(model))).all()


async def test_a_cancellation_and_a_renewal_are_told_signed_and_without_a_secret(
    world, book, billing, receiver
):
    cancelled, renewed = (
        await book.subscription(book.customer()),
        await book.subscription(ann := book.customer()),
    )
    await ann.grant(500_00)
    await billing.post(f"/subscriptions/{cancelled.id}/cancel")
    await renewed.days_before_expiry(13)
    await renewed.until_renewed()

    async with sending(world):

        async def told():
            return len(receiver.taken) >= 3

        await eventually(told, "all is told")

    assert [one["subscription"] for one in receiver.told("subscription.cancelled")] == [cancelled.id]
    (renewal,) = receiver.told("subscription.renewed")
    assert (renewal["subscription"], renewal["customer"]) == (renewed.id, ann.id)
    assert len(receiver.told("license.updated")) == 1
    text = str(receiver.taken)
    assert ann.email not in text
    assert (await renewed.row()).license.last_four not in text


async def test_it_is_tried_again_with_the_same_id_until_it_is_taken(world, book, billing, receiver):
    subscribed = await book.subscription(book.customer())
    await billing.post(f"/subscriptions/{subscribed.id}/cancel")
    receiver.status = 500

    async with sending(world):

        async def tried():
            return receiver.asked >= 3

        await eventually(tried, "it is tried again")
        receiver.status = 204

        async def taken():
            return len(receiver.taken) == 1

        await eventually(taken, "it is taken")

    (event,) = await rows(world, WebhookEvent)
    assert receiver.taken[0][0] == event.id


async def test_an_endpoint_that_only_fails_is_disabled_staff_are_told_and_a_replay_goes_on(
    world, book, billing, receiver
):
    subscribed = await book.subscription(book.customer())
    await billing.post(f"/subscriptions/{subscribed.id}/cancel")
    receiver.status, receiver.headers = 302, {"Location": receiver.url}

    async with sending(world, disabled_after=timedelta(milliseconds=50)):

        async def disabled():
            return (await rows(world, WebhookEndpoint))[0].disabled_at is not None

        await eventually(disabled, "it is disabled")
        assert not receiver.taken  # and no redirect was followed
        kinds = [notice.kind for notice in await rows(world, Notice)]
        assert kinds.count("webhook_disabled") == 1
        await billing.post(f"/subscriptions/{subscribed.id}/resume")
        await billing.post(f"/subscriptions/{subscribed.id}/cancel")
        receiver.status, receiver.headers = 204, {}
        async with world.sessions.begin() as session:
            count = await webhook_outbox.replay(session, receiver.id, "support:jo", datetime.now(UTC))
        assert count == 2

        async def taken():
            return len(receiver.taken) == 2

        await eventually(taken, "what it missed is told")


async def test_nothing_is_written_where_nobody_wants_to_be_told(world, book, billing):
    subscribed = await book.subscription(book.customer())
    await billing.post(f"/subscriptions/{subscribed.id}/cancel")

    assert not await rows(world, WebhookEvent)
    assert not await rows(world, WebhookDelivery)


async def test_an_endpoint_is_told_only_of_what_it_asked_for(world, book, billing, receiver):
    async with world.sessions.begin() as session:
        await webhooks.add(
            session,
            world.settings.key_ring(),
            "https://lapses.example/",
            ["subscription.lapsed"],
            "support:jo",
            datetime.now(UTC),
        )
    subscribed = await book.subscription(book.customer())
    await billing.post(f"/subscriptions/{subscribed.id}/cancel")

    assert [one.endpoint_id for one in await rows(world, WebhookDelivery)] == [receiver.id]


@pytest.mark.parametrize(
    "url",
    [
        "http://billing.example.com/",
        "ftp://127.0.0.1/",
        "https://",
        "https://jo:secret@billing.example.com/",
        "https://billing.example.com/#part",
        "https://billing.example.com:port/",
        "https://billing.example.com/" + "a" * 500,
    ],
)
def test_an_address_that_others_could_listen_to_is_none(url):
    with pytest.raises(NotAnEndpoint):
        check_endpoint(url)


def test_the_addresses_that_may_be_told():
    for url in (
        "https://billing.example.com/evergreen",
        "http://127.0.0.1:9000/",
        "http://[::1]/",
        "http://localhost/",
    ):
        assert check_endpoint(url) == url


def test_every_kind_is_told_by_some_notice_and_says_no_more_than_it_may():
    notices = [
        ("license_updated", "customer", ""),
        ("license_updated", "customer", "ord_1"),
        ("cancel_accepted", "customer", "req"),
        ("cancel_deferred", "customer", "req"),
        ("lapsed", "customer", ""),
        ("payment_failed", "customer", ""),
        ("promise_broken", "staff", "ord_1"),
    ]
    assert {kind for notice in notices for kind in kinds_of(*notice)} == set(KINDS)
    assert kinds_of("receipt", "customer", "") == kinds_of("lapsed", "staff", "") == ()
    data = data_of("sub_1", "cus_1", {"last_four": "7K2P", "reason": "NoCard", "action_url": "https://x"})
    assert data == {"subscription": "sub_1", "customer": "cus_1", "reason": "NoCard"}
