"""What a drill loses and brings back: PostgreSQL by its own pg_dump and pg_restore, Temporal not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy.engine import make_url

from sandbox import cluster
from sandbox.account import open_tree
from sandbox.virtual_time import VirtualTime
from tests.money.world import World

DATABASE = "evergreen"


async def dumped(world: World, file: Path) -> None:
    """The command of docs/operations.md: everything in one file."""
    await _postgres(world, "pg_dump", "--format=custom", f"--file={file}", DATABASE)


async def restored(world: World, file: Path) -> None:
    """Nothing is left of the database; then it is made anew out of the file."""
    await world.engine.dispose()
    await world.stack.postgres.drop_database(DATABASE)
    await world.stack.postgres.create_database(DATABASE)
    await _postgres(
        world, "pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={DATABASE}", str(file)
    )


async def temporal_lost(world: World) -> None:
    """The server starts again with nothing: no workflow, no history, no clock that was moved."""
    server = world.stack.temporal
    assert server.file is not None
    await server.stop()
    for part in server.file.parent.glob(f"{server.file.name}*"):
        part.unlink()
    await server.start()
    world.clocks = VirtualTime(world.client)


async def _postgres(world: World, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on the world's server."""
    await asyncio.to_thread(open_tree, cluster.binaries().parent)
    url = make_url(world.variables["EVERGREEN_DATABASE_URL"])
    where = (f"--host={url.query['host']}", f"--port={url.query['port']}", f"--username={url.username}")
    running = await asyncio.create_subprocess_exec(
        cluster.binaries() / program,
        *where,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()
