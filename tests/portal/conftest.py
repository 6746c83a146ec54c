"""The real portal on real servers for the whole session; an empty book, a worker and browsers for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest_asyncio

from tests.fixtures import empty_world, own_worker, tests_book, tests_worker  # noqa: F401  (found here)
from tests.money.book import Book
from tests.money.customer import Customer
from tests.money.world import World
from tests.portal.chromium import Chromium, chromium
from tests.portal.visitor import OPS, SUPPORT, Visitor, visitor


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
