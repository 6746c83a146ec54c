"""The engine's limits reach the server, whatever shape the address comes in."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.pool import NullPool

from db.models.intake import Intake
from db.session import asyncpg_url, engine_for
from sandbox.postgres import Postgres
from tests.db.bookkeeper import AT

Sessions = async_sessionmaker[AsyncSession]


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_any_postgresql_address_is_taken(scheme: str) -> None:
    url = asyncpg_url(f"{scheme}://jo:secret@db.example:5433/evergreen?ssl=require")
    assert url.render_as_string(hide_password=False) == (
        "postgresql+asyncpg://jo:secret@db.example:5433/evergreen?ssl=require"
    )


async def test_a_statement_or_a_forgotten_transaction_is_ended_by_the_server(postgres: Postgres) -> None:
    engine = engine_for(
        postgres.url("evergreen"), command_seconds=2, application_name="a test", poolclass=NullPool
    )
    async with engine.connect() as connection:
        shown = [
            await connection.scalar(text(f"SHOW {name}"))
            for name in ("application_name", "statement_timeout", "idle_in_transaction_session_timeout")
        ]
    await engine.dispose()
    assert shown == ["a test", "7s", "7s"]


async def test_a_statement_that_hangs_is_given_up(postgres: Postgres) -> None:
    engine = engine_for(postgres.url("evergreen"), command_seconds=0.1)
    async with engine.connect() as connection:
        with pytest.raises(TimeoutError):
            await connection.execute(text("SELECT pg_sleep(5)"))
    await engine.dispose()


async def test_values_the_server_filled_in_can_be_read_after_commit(sessions: Sessions) -> None:
    """There is no hidden query in asyncio: they came back with the insert or the update."""
    async with sessions.begin() as session:
        intake = Intake(id="intake_1", filename="a.csv", digest=bytes(32), requested_by="staff:jo", at=AT)
        session.add(intake)
    assert (intake.state, intake.rows) == ("storing", 0)
    assert intake.recorded_at.tzinfo is not None


async def lost_while_it_rested(postgres: Postgres, engine: AsyncEngine) -> int:
    """The number of a server process that ended while its connection was back in the pool."""
    async with engine.connect() as connection:
        pid: int = await connection.scalar(text("SELECT pg_backend_pid()"))
    other = engine_for(postgres.url("evergreen"))
    async with other.connect() as connection:
        assert await connection.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    await other.dispose()
    return pid


async def test_a_connection_that_lost_its_server_while_it_rested_is_replaced_unseen(
    postgres: Postgres,
) -> None:
    engine = engine_for(postgres.url("evergreen"), rested_seconds=0)
    lost = await lost_while_it_rested(postgres, engine)

    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) != lost
    await engine.dispose()


async def test_a_connection_used_a_moment_ago_is_not_asked_and_fails_once(postgres: Postgres) -> None:
    """A step that failed so is tried again, like any other."""
    engine = engine_for(postgres.url("evergreen"), rested_seconds=60)
    lost = await lost_while_it_rested(postgres, engine)

    with pytest.raises(DBAPIError):
        async with engine.connect() as connection:
            await connection.scalar(text("SELECT 1"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) != lost
    await engine.dispose()
