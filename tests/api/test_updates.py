"""License updates done by hand and told by a program: each piece of news has one effect, however often it is sent."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.api.program import is_problem
from tests.eventually import eventually
from tests.portal.doings import ADDON, order_addons, update_of


@pytest.fixture
async def owed(world, book):
    """A license with an update that the vendor's API cannot do; the license, and the update's id."""
    subscribed = await book.subscription(book.customer("GB"))
    await subscribed.customer.grant(500_00)
    trouble = {"kind": "down", "license_key": subscribed.license_key}
    world.vendor.control("POST", "/sandbox/faults", json=trouble)
    return subscribed, await update_of(world, await order_addons(world, subscribed))


async def both(billing, path, body):
    """Sent twice at once under one key, then under another; the answer that is kept."""
    first = await asyncio.gather(*(billing.post(path, body, key="news") for _ in range(2)))
    assert {answer.status_code for answer in first} <= {200, 409}
    assert all(is_problem(answer, 409, "under-way") for answer in first if answer.status_code == 409)
    kept = await billing.post(path, body, key="news")
    assert kept.headers["idempotency-replayed"] == "true"
    assert (await billing.post(path, body, key="the same news")).json() == kept.json()
    return kept.json()


async def test_R24_an_update_that_is_done_by_hand_is_told_once(billing, owed):
    subscribed, update = owed
    listed = (await billing.get("/updates")).json()["data"]
    assert [(each["id"], each["add"]) for each in listed] == [(update, [ADDON])]
    early = {"expires_on": str(subscribed.expires_on - timedelta(days=1))}
    assert is_problem(await billing.post(f"/updates/{update}/done", early), 409, "refused")

    told = await both(billing, f"/updates/{update}/done", {"expires_on": str(subscribed.expires_on)})

    assert (told["taken"], told["update"]["state"]) == (True, "done")
    assert (await subscribed.row()).license.addons == [ADDON]
    assert len(await subscribed.notices("license_updated")) == 1
    other = await billing.post(f"/updates/{update}/refused", {"reason": "RevokedKey"})
    assert is_problem(other, 409, "refused")


async def test_R20_R23_the_vendors_final_no_gives_the_payment_back_once(billing, owed):
    subscribed, update = owed

    told = await both(billing, f"/updates/{update}/refused", {"reason": "RevokedKey"})

    assert (told["taken"], told["update"]["state"]) == (True, "refused")

    async def given_back():
        return await subscribed.customer.credits() == [("promotional", 500_00)]

    await eventually(given_back, "the credit is back")
    assert len(await subscribed.customer.papers("credit_note")) == 1
    done = await billing.post(f"/updates/{update}/done", {"expires_on": str(subscribed.expires_on)})
    assert is_problem(done, 409, "refused")
