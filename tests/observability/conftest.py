"""One stack for all, on which some subscriptions have lived; the tests look at what was told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from domain.messages import State
from tests.end_to_end.dates import MOMENT
from tests.money.book import Book
from tests.money.subscribed import Subscribed
from tests.observability.world import World, world


@dataclass
class Lived:
    """Subscriptions by what became of them."""

    renewed: Subscribed
    lapsed: Subscribed
    refused: Subscribed
    cancelled: Subscribed
    waiting: Subscribed
    """Its renewal waits for money."""
    late: Subscribed
    """Renewed, but after the promise time: the vendor was down."""


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def book(world: World) -> AsyncIterator[Book]:
    await world.deliver_webhooks()
    kept = Book(world)
    yield kept
    await kept.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def lived(book: Book) -> Lived:
    """Each has lived until its fate was known."""
    made = [await book.subscription() for _ in range(6)]
    renewed, lapsed, refused, cancelled, waiting, late = made
    for paying in (renewed, refused, late):
        await paying.customer.save_card()
    await lapsed.customer.save_card(answers="insufficient_funds")
    await waiting.customer.save_card(answers="lost_card")
    book.world.vendor.control(
        "POST", "/sandbox/licenses/status", json={"license_keys": [refused.license_key], "status": "revoked"}
    )
    await cancelled.handle.signal("cancel", {"by": "support:jo"})

    book.world.vendor.fault("down", late.license_key)
    await late.days_before_expiry(14)
    promise_at = (await late.until(State.UPDATING)).promise_at
    assert promise_at is not None
    await late.at(promise_at + MOMENT)
    book.world.vendor.control("DELETE", "/sandbox/faults")
    await late.days_before_expiry(5)
    await late.until_renewed()
    await renewed.days_before_expiry(13)
    await renewed.until_renewed()
    await lapsed.days_before_expiry(-31)
    await lapsed.ending()
    await refused.days_before_expiry(13)
    await refused.until(State.REFUSED)
    await cancelled.days_before_expiry(-1)
    await cancelled.ending()
    await waiting.days_before_expiry(13)
    await waiting.until(State.COLLECTING)
    return Lived(*made)
