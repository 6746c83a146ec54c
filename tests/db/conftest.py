"""A real PostgreSQL, migrated once and emptied before each test: tests commit and race as they like."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import schema
from db.session import engine_for, sessions_for
from sandbox.postgres import Postgres
from tests.db.bookkeeper import Bookkeeper

# The tables refuse to be emptied, hence the role; twenty times faster than a database for each test.
EMPTY = """
DO $$ DECLARE emptied text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR emptied IN
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE format('DELETE FROM %I', emptied); END LOOP;
END $$
"""


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    # Not in pytest's own folder: if we are root the server is another user, whom the next pytest shuts out.
    with TemporaryDirectory(prefix="evergreen-") as folder:
        async with Postgres(Path(folder) / "data", fast=True) as server:
            engine = engine_for(await server.create_database("evergreen"))
            await schema.upgrade(engine)
            await engine.dispose()
            yield server


@pytest_asyncio.fixture(loop_scope="session")
async def engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    """Five connections, so that fifty tasks have to wait for each other."""
    engine = engine_for(postgres.url("evergreen"), pool_size=5, max_overflow=0)
    async with engine.begin() as connection:
        await connection.execute(text(EMPTY))
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return sessions_for(engine)


@pytest.fixture
def books(sessions: async_sessionmaker[AsyncSession]) -> Bookkeeper:
    return Bookkeeper(sessions)
