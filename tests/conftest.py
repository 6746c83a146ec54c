"""One world for all folders that live well together, and the order in which files are given out.

Servers take five seconds to start, so each process of a test run starts them once. What must be alone on a machine
of its own (the command line's stack, a deployment, a scratch server) brings its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from tests.money.world import World

LONGEST_FIRST = (
    "tests/chaos/test_chaos.py",
    "tests/commands/test_demo.py",
    "tests/money/test_crashes.py",
    "tests/forecast/",
    "tests/end_to_end/test_crashes.py",
    "tests/deployment/",
    "tests/observability/",
    "tests/portal/",
    "tests/chaos/",
    "tests/money/",
    "tests/end_to_end/",
    "tests/commands/",
)
"""Else the last process would be at one of these when all others are done. What is not here comes after them."""

TOGETHER = ("tests/commands/", "tests/deployment/", "tests/observability/", "tests/db/", "tests/notices/")
"""Folders with servers of their own: one process runs all of such a folder."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_world() -> AsyncIterator[World]:
    """Stack, portal and payment provider of this process. Folders take it by `world`, which hands it over empty."""
    from tests.money.world import world  # here, so that a run without servers does not load all that

    async with world() as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the group that stays in one process, and put the longest groups first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=_rank)


def _group(item: pytest.Item) -> str:
    path = item.nodeid.partition("::")[0]
    if path == "tests/commands/test_demo.py":  # on a stack of its own, and as long as all the others
        return path
    return next((folder for folder in TOGETHER if path.startswith(folder)), path)


def _rank(item: pytest.Item) -> int:
    return next(
        (rank for rank, start in enumerate(LONGEST_FIRST) if item.nodeid.startswith(start)),
        len(LONGEST_FIRST),
    )
