"""Alembic's entry: runs migrations on the connection it is given, or on a database of its own finding.

`db.schema` passes a connection. Alembic's command line does not: it takes the address from `-x url=…` or from
`EVERGREEN_DATABASE_URL`.
"""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.models.record import Record
from db.session import asyncpg_url


def migrate(connection: Connection) -> None:
    """Run what is asked for; with its own transaction unless the caller has one open."""
    context.configure(connection=connection, target_metadata=Record.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_migrate(url: str) -> None:
    """For the command line: one connection, closed at the end."""
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    migrate(given)
else:
    arguments = context.get_x_argument(as_dictionary=True)
    address = arguments.get("url") or os.environ["EVERGREEN_DATABASE_URL"]
    if context.is_offline_mode():
        context.configure(url=asyncpg_url(address), target_metadata=Record.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
    else:
        asyncio.run(connect_and_migrate(address))
