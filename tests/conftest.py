"""One world for all folders that live well together, and the order in which files are given out.

Servers take five seconds to start, so each process of a test run starts them once. What must be alone on a machine
of its own (the command line's stack, a deployment, a scratch server) brings its own.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

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

TOGETHER = ("tests/commands/", "tests/deployment/", "tests/observability/", "tests/reconciliation/")
"""Folders whose servers or whose story are their own: one process runs all of such a folder."""


signal.signal(signal.SIGINT, signal.default_int_handler)
# Started as `make test &` we would ignore Ctrl-C, and so would every program that the tests send it to.


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_world() -> AsyncIterator[World]:
    """Stack, portal and payment provider of this process. Folders take it by `world`, which hands it over empty."""
    from tests.money.world import world  # here, so that a run without servers does not load all that

    async with world() as made:
        yield made


class Folders(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives out groups of files, each whole to one process, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Folders:
    """Files go to processes as `Folders` gives them out."""
    config.option.loadscopereorder = False  # not the most tests first: the longest are few
    return Folders(config, log)


@pytest.hookimpl(trylast=True)  # pytest itself sorts by fixtures
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _group(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    if path == "tests/commands/test_demo.py":  # on a stack of its own, and as long as all the others
        return path
    return next((folder for folder in TOGETHER if path.startswith(folder)), path)


def _rank(nodeid: str) -> int:
    return next(
        (rank for rank, start in enumerate(LONGEST_FIRST) if nodeid.startswith(start)), len(LONGEST_FIRST)
    )
