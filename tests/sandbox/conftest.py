"""A data folder for each test, after which nothing may run that was started on it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox.postgres import Postgres
from tests.sandbox.bystanders import running_on

MEMORY = Path("/dev/shm")
FAST_PLACE = (
    MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**30 else None
)  # else the usual one


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a short name, since a socket's path must be short."""
    made = Path(tempfile.mkdtemp(prefix="evergreen-", dir=FAST_PLACE)).resolve()
    yield made
    left = running_on(made)
    for process in left:
        process.kill()
    shutil.rmtree(made)
    assert not left


@pytest.fixture(scope="package")
async def made_once() -> AsyncIterator[Path]:
    """A PostgreSQL data folder as it is after its first start: making one takes most of a second."""
    with tempfile.TemporaryDirectory(prefix="evergreen-", dir=FAST_PLACE) as folder:
        async with Postgres(Path(folder) / "data", fast=True):
            pass
        yield Path(folder) / "data"


@pytest.fixture
def data(folder: Path, made_once: Path) -> Path:
    """A PostgreSQL data folder of the test's own."""
    subprocess.run(["cp", "-a", made_once, folder / "data"], check=True)
    return folder / "data"
