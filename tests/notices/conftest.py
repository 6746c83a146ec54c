"""The real mail sandbox as a program of its own, a real PostgreSQL, and senders between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from notices.letters import Letterhead
from notices.mailer import Mailer
from tests.db.conftest import engine, postgres, sessions  # noqa: F401  (the same PostgreSQL as the tests of db)
from tests.notices.outgoing import FROM, Outgoing
from tests.notices.running import SandboxMail, run_sandbox


@pytest.fixture(scope="package")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxMail]:
    yield from run_sandbox(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def sandbox(one_sandbox: SandboxMail) -> SandboxMail:
    """One mail sandbox for all tests that leave it running, empty and without trouble."""
    one_sandbox.control("DELETE", "/sandbox/mails")
    one_sandbox.control("DELETE", "/sandbox/faults")
    return one_sandbox


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[SandboxMail]:
    """A mail sandbox for a test that stops it."""
    yield from run_sandbox(tmp_path)


@pytest.fixture
def mailer(sandbox: SandboxMail) -> Mailer:
    return Mailer("127.0.0.1", sandbox.smtp_port, FROM, security="none", timeout_seconds=5)


@pytest.fixture
def outgoing(sessions: async_sessionmaker[AsyncSession], mailer: Mailer) -> Outgoing:  # noqa: F811
    return Outgoing(sessions, mailer, Letterhead("Servertastic", portal_url="https://portal.example"))
