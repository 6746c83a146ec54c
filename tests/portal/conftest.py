"""The real portal on real servers for the whole session; an empty book, a worker and browsers for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest_asyncio

from tests.end_to_end.world import OwnWorker
from tests.money.book import Book, Customer
from tests.money.world import World, world
from tests.portal.chromium import Chromium, chromium
from tests.portal.visitor import OPS, SUPPORT, Visitor, visitor


@pytest_asyncio.fixture(scope="package", loop_scope="session", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def _own_worker(world: World) -> AsyncIterator[OwnWorker]:
    own = OwnWorker(world)
    yield own
    await own.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def worker(_own_worker: OwnWorker) -> OwnWorker:
    """A worker that runs when the test begins; tests stop and start it."""
    await _own_worker.start()
    return _own_worker


@pytest_asyncio.fixture(loop_scope="session")
async def book(world: World, worker: OwnWorker) -> AsyncIterator[Book]:
    """Customers and their subscriptions; the accounts are checked at the end (R17)."""
    await world.empty()
    await world.deliver_webhooks()
    kept = Book(world)
    yield kept
    await worker.start()
    await kept.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(world: World) -> AsyncIterator[Callable[[], Awaitable[Visitor]]]:
    """Makes browsers without scripts."""
    async with AsyncExitStack() as on_exit:

        async def another() -> Visitor:
            return await on_exit.enter_async_context(visitor(world))

        yield another


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(browser: Callable[[], Awaitable[Visitor]]) -> Visitor:
    """A browser with nothing in it yet."""
    return await browser()


@pytest_asyncio.fixture(loop_scope="session")
async def jo(book: Book, browser: Callable[[], Awaitable[Visitor]]) -> Visitor:
    """Somebody of support, signed in."""
    visitor = await browser()
    await visitor.sign_in(SUPPORT)
    return visitor


@pytest_asyncio.fixture(loop_scope="session")
async def al(book: Book, browser: Callable[[], Awaitable[Visitor]]) -> Visitor:
    """Somebody of ops, signed in."""
    visitor = await browser()
    await visitor.sign_in(OPS)
    return visitor


@pytest_asyncio.fixture(loop_scope="session")
async def ann(book: Book) -> Customer:
    """A customer with one license."""
    customer = book.customer(country="GB")
    await book.subscription(customer)
    return customer


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browsers(world: World) -> AsyncIterator[Chromium]:
    """A real browser on the portal."""
    async with chromium(world.portal) as made:
        yield made
