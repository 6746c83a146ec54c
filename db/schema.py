"""Bringing a database to the schema this code needs: Alembic without its configuration file."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x4556_4752  # any number, as long as it is ours


def head_revision() -> str:
    """The newest revision this code knows."""
    (head,) = ScriptDirectory.from_config(_config()).get_heads()
    return head


async def current_revision(engine: AsyncEngine) -> str | None:
    """The revision the database is at; None when nothing was ever migrated."""
    async with engine.connect() as connection:
        return await connection.run_sync(
            lambda plain: MigrationContext.configure(plain).get_current_revision()
        )


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the database to `head_revision()` in one transaction; nothing happens when it is there already.

    Safe to call from several processes at once: an advisory lock lets one in, the others find the work done.
    Not for two databases at once in one process: Alembic keeps its context in module variables.
    It has a connection of its own, as a migration may take longer than the engine's time-outs allow.
    """
    patient = create_async_engine(engine.url, poolclass=NullPool)
    try:
        async with patient.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            await connection.run_sync(_upgrade)
    finally:
        await patient.dispose()


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
