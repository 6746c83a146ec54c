"""PostgreSQL out of its wheel, on one data folder, reached by a socket that only its owner may open.

We run the wheel's `initdb` and `postgres` ourselves rather than call the wheel's `get_server`. That makes a
daemon, which outlives a killed parent; it counts its users by process id in a file that goes stale; and it
takes no settings. As a `Program` the server ends with us, and tests can kill it and start it again.
A folder belongs to one `Postgres` at a time (the stack's lock sees to that): what else runs there is left
over from last time.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
from sqlalchemy.engine import URL

from sandbox import cluster
from sandbox.account import open_path, open_tree, server_account
from sandbox.program import OnSpawn, Program

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
FAST = {"fsync": "off", "full_page_writes": "off"}  # synchronous_commit stays on: tests kill the server
CONNECT_SECONDS = 5.0


class Postgres:
    """A PostgreSQL server on a data folder, which is made if need be.

    Every commit is on disk before it is answered, unless `fast`: then a crash of the machine (but not of the
    server) may lose data, which is for tests. `log` is `<folder>.log` unless given.
    """

    def __init__(
        self, folder: Path, *, fast: bool = False, log: Path | None = None, on_spawn: OnSpawn | None = None
    ) -> None:
        self.folder = folder.resolve()
        self.fast = fast
        self.log = log or self.folder.with_name(f"{self.folder.name}.log")
        self.on_spawn = on_spawn
        self.program: Program | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def url(self, database: str = cluster.SUPERUSER) -> str:
        """The SQLAlchemy URL of a database of this server, for asyncpg; it stays the same across starts."""
        where = {"host": str(cluster.socket_folder(self.folder)), "port": "5432"}  # the socket's name: no TCP
        url = URL.create("postgresql+asyncpg", cluster.SUPERUSER, database=database, query=where)
        return url.render_as_string()

    async def start(self) -> None:
        """Start on the folder, whatever last time left there; nothing if it runs. Raises ProgramFailed."""
        if self.program and self.program.running:
            return
        await asyncio.to_thread(cluster.clear, self.folder)
        account = await asyncio.to_thread(server_account)
        if account:
            await asyncio.to_thread(open_tree, cluster.binaries().parent)
            await asyncio.to_thread(open_path, self.folder)
        if not await asyncio.to_thread(cluster.is_initialized, self.folder):
            await cluster.initialize(self.folder, account, self.log, fast=self.fast)
        self.program = self._server(account)
        await self.program.start()

    async def stop(self) -> None:
        """End the sessions, write everything to the folder and stop."""
        if self.program:
            await self.program.stop()
            cluster.close_socket_folder(self.folder)

    def kill(self) -> None:
        """The fault of a crash: SIGKILL, nothing is written any more. `start` recovers."""
        if self.program:
            self.program.kill()

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make the database unless it is there, as a copy of the template; its URL."""
        async with self._session() as session:
            if not await session.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await session.execute(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template)}")
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop the database if it is there, whatever sessions are in it."""
        async with self._session() as session:
            await session.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def _server(self, account: str | None) -> Program:
        sockets = cluster.open_socket_folder(self.folder, account)
        settings = SETTINGS | {"unix_socket_directories": _quoted(str(sockets))} | (FAST if self.fast else {})
        argv = [str(cluster.binaries() / "postgres"), "-D", str(self.folder)]
        return Program(
            "PostgreSQL",
            [*argv, *(f"--{name}={value}" for name, value in settings.items())],
            self.log,
            ready=self._answers,
            account=account,
            stop_signal=signal.SIGINT,  # 'fast': SIGTERM would wait for every client to go
            death_signal=signal.SIGINT,
            on_spawn=self.on_spawn,
        )

    async def _answers(self, pid: int) -> bool:
        try:
            async with self._session() as session:
                return bool(await session.fetchval("SELECT 1"))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncpg.Connection]:
        session = await asyncpg.connect(
            host=str(cluster.socket_folder(self.folder)),
            port=5432,
            user=cluster.SUPERUSER,
            database=cluster.SUPERUSER,
            timeout=CONNECT_SECONDS,
        )
        try:
            yield session
        finally:
            await session.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
