"""The real portal on real servers for the whole session; an empty book, a worker and programs for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.api.program import Program, program_with
from tests.fixtures import empty_world, own_worker, tests_book, tests_worker  # noqa: F401  (found here)
from tests.money.book import Book
from tests.money.world import World


@pytest_asyncio.fixture(loop_scope="session")
async def billing(world: World, book: Book) -> AsyncIterator[Program]:
    """A program that may do everything."""
    async with program_with(world) as program:
        yield program
