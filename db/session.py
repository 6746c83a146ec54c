"""The way to PostgreSQL: one engine for each process, one session for each transaction."""

from time import monotonic
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

APPLICATION_NAME = "evergreen"


def asyncpg_url(url: str | URL) -> URL:
    """The same address for the asyncpg driver, whether it came as `postgresql://` or with a driver's name."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def engine_for(
    url: str | URL,
    *,
    application_name: str = APPLICATION_NAME,
    connect_seconds: float = 5,
    command_seconds: float = 30,
    statement_cache: int = 500,
    rested_seconds: float = 1,
    **pool: Any,
) -> AsyncEngine:
    """An engine that gives up rather than hangs; connects at first use, not here.

    `command_seconds` bounds each statement on our side, so that a server that went silent is noticed; the
    server ends a statement or a forgotten transaction a little later by itself, which frees its locks. A connection
    that was not used for `rested_seconds` may have lost its server and is asked before it is handed out. Set
    `statement_cache=0` behind a pooler that hands every transaction another connection. `pool` overrides the
    pool: `pool_size`, `max_overflow`, `pool_timeout`, `pool_recycle`, `poolclass`.
    """
    server_milliseconds = str(int(command_seconds * 1000) + 5000)
    sizes: dict[str, Any] = {
        "pool_size": 10,
        "max_overflow": 10,
        "pool_timeout": 10,
        "pool_recycle": 1800,
    }
    engine = create_async_engine(
        asyncpg_url(url),
        connect_args={
            "timeout": connect_seconds,
            "command_timeout": command_seconds,
            "prepared_statement_cache_size": statement_cache,
            "statement_cache_size": statement_cache,
            "server_settings": {
                "application_name": application_name,
                "statement_timeout": server_milliseconds,
                "idle_in_transaction_session_timeout": server_milliseconds,
                "jit": "off",  # our statements are short: compiling one costs more than running it
            },
        },
        **(pool if "poolclass" in pool else sizes | pool),
    )
    _look_after_rest(engine, rested_seconds)
    return engine


def _look_after_rest(engine: AsyncEngine, rested_seconds: float) -> None:
    """Ask a connection that has rested whether its server still answers, and take another if not.

    One that was in use a moment ago is not asked: that would be a round trip for each transaction.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def put_back(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def take_out(connection: Any, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        since = record.info.pop("rests_since", None)
        if since is None or monotonic() - since < rested_seconds:
            return
        dialect = engine.sync_engine.dialect
        try:
            alive = dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error:
            alive = False
        if not alive:
            raise InvalidatePoolError


def sessions_for(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after commit: there is no hidden query in asyncio."""
    return async_sessionmaker(engine, expire_on_commit=False)
