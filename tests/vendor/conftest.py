"""The real sandbox vendor, as a program of its own on a free port, and our client on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.vendor.running import PATIENCE_SECONDS, TOKEN, SandboxVendor, run_sandbox
from vendor.http import HttpVendor


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxVendor]:
    """One vendor for all tests that leave it running; each uses a license of its own."""
    yield from run_sandbox(tmp_path_factory.mktemp("vendor"))


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[SandboxVendor]:
    """A vendor for a test that stops it or makes trouble for everyone."""
    yield from run_sandbox(tmp_path)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def vendor(sandbox: SandboxVendor, client: httpx.AsyncClient) -> HttpVendor:
    return HttpVendor(sandbox.url, TOKEN, timeout_seconds=PATIENCE_SECONDS, client=client)


@pytest.fixture
def own_vendor(own_sandbox: SandboxVendor, client: httpx.AsyncClient) -> HttpVendor:
    return HttpVendor(own_sandbox.url, TOKEN, timeout_seconds=PATIENCE_SECONDS, client=client)
