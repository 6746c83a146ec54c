from __future__ import annotations

import os
import signal
import sys

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from sandbox import cluster
from sandbox.cluster import NotADataFolder
from sandbox.leftovers import alive
from sandbox.postgres import Postgres
from tests.sandbox.bystanders import Bystander, nothing_runs_on

PARENT = """
import asyncio, sys
from pathlib import Path
from sandbox.postgres import Postgres
async def main():
    async with Postgres(Path(sys.argv[1]), fast=True):
        print("up", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def answer(url: str, *statements: str) -> object:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            last = await connection.execute(text(statement))
        found = last.scalar() if last.returns_rows else None
    await engine.dispose()
    return found


async def test_a_server_comes_up_in_an_empty_folder_and_opens_no_port(folder):
    async with Postgres(folder / "data", fast=True) as postgres:
        assert await answer(postgres.url(), "SELECT 1") == 1
        assert await answer(postgres.url(), "SHOW server_encoding") == "UTF8"

        process = psutil.Process(postgres.program.pid)
        assert not process.net_connections(kind="inet")
        assert process.uids().effective != 0


async def test_a_commit_is_on_disk_unless_the_server_is_to_be_fast(data):
    async with Postgres(data) as postgres:
        assert await answer(postgres.url(), "SHOW fsync") == "on"
        assert await answer(postgres.url(), "SHOW synchronous_commit") == "on"
    async with Postgres(data, fast=True) as postgres:
        assert await answer(postgres.url(), "SHOW fsync") == "off"


async def test_databases_are_made_copied_and_dropped(data):
    async with Postgres(data, fast=True) as postgres:
        url = await postgres.create_database("books")
        await answer(url, "CREATE TABLE shelf (n int)", "INSERT INTO shelf VALUES (7)")
        assert await postgres.create_database("books") == url
        copy = await postgres.create_database('a "copy"', template="books")
        assert await answer(copy, "SELECT n FROM shelf") == 7
        await postgres.drop_database('a "copy"')
        await postgres.drop_database('a "copy"')
        assert await answer(url, "SELECT count(*) FROM pg_database WHERE datname LIKE 'a %'") == 0


async def test_data_survives_a_kill_and_a_restart(data):
    async with Postgres(data, fast=True) as postgres:
        url = postgres.url()
        await answer(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
        postgres.kill()
        await postgres.start()
        assert await answer(url, "SELECT n FROM kept") == 7
        await postgres.stop()
        await postgres.start()
        assert await answer(url, "SELECT n FROM kept") == 7


async def test_a_server_that_hangs_since_last_time_is_ended_first(data):
    parent = Bystander(PARENT, data)
    hung = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    hung.suspend()
    parent.end(signal.SIGKILL)
    assert alive(hung)

    async with Postgres(data, fast=True) as postgres:
        assert not alive(hung)
        assert await answer(postgres.url(), "SELECT 1") == 1


@pytest.mark.parametrize("left", ["", "garbled", f"{os.getpid()}\nmore"], ids=["empty", "garbled", "reused"])
async def test_a_pid_file_that_postgres_would_stumble_on_is_cleared(data, left):
    async with Postgres(data, fast=True):
        pass
    for stale in (data / "postmaster.pid", data / f"{cluster.SOCKET}.lock"):
        stale.write_text(left)
        stale.chmod(0o644)

    async with Postgres(data, fast=True) as postgres:
        assert await answer(postgres.url(), "SELECT 1") == 1


async def test_a_folder_that_was_never_made_to_its_end_is_made_again(folder):
    half_made = folder / "data.unfinished"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18")

    async with Postgres(folder / "data", fast=True) as postgres:
        assert await answer(postgres.url(), "SELECT 1") == 1

    assert not half_made.exists()


async def test_a_folder_of_something_else_is_left_alone(folder):
    (folder / "data").mkdir()
    (folder / "data" / "thesis.txt").write_text("dear")

    with pytest.raises(NotADataFolder, match="not empty"):
        await Postgres(folder / "data").start()

    assert (folder / "data" / "thesis.txt").read_text() == "dear"


async def test_a_path_too_long_for_a_socket_has_its_socket_elsewhere(folder, data):
    deep = folder / ("deep" * 15) / ("and, deeper" * 5)
    deep.parent.mkdir()
    data.rename(deep)
    async with Postgres(deep, fast=True) as postgres:
        assert cluster.socket_folder(deep) != deep
        assert await answer(postgres.url(), "SELECT 1") == 1
    assert not cluster.socket_folder(deep).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops it")
async def test_a_server_ends_in_order_when_its_parent_is_killed(data):
    parent = Bystander(PARENT, data)
    parent.end(signal.SIGKILL)

    assert nothing_runs_on(data)
    assert "database system is shut down" in data.with_name("data.log").read_text()
