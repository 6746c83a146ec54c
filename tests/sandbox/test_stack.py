from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from sandbox import holder
from sandbox.holder import FolderInUse, State
from sandbox.leftovers import Mark
from sandbox.program import ProgramDied
from sandbox.serving import Service
from sandbox.stack import Stack
from tests.sandbox.bystanders import Bystander, nothing_runs_on, running_on

FILES = Service("files", "-m http.server {port} --bind 127.0.0.1 --directory {folder}", 0, health="/")
UP = """
import asyncio, sys
from pathlib import Path
from sandbox.stack import OUTSIDE_WORLD, Stack
async def main():
    outside = OUTSIDE_WORLD if "vendor" in sys.argv else ()
    async with Stack(Path(sys.argv[1]), outside_world=outside, fast=True, any_ports=True).up() as stack:
        print("up", flush=True)
        await stack.watch()
asyncio.run(main())
"""
ASLEEP = "import time; time.sleep(60)"


@pytest.fixture
def folder(folder, data):
    """A stack's folder, whose PostgreSQL has been made."""
    data.rename(folder / "postgres")
    return folder


def stack_on(folder, **more):
    return Stack(folder, fast=True, any_ports=True, **more)


async def one(url):
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT 1"))).scalar()
    await engine.dispose()
    return found


async def test_a_stack_comes_up_answers_and_leaves_nothing_running(folder):
    async with stack_on(folder, search_attributes={"Product": "Keyword"}).up() as stack:
        addresses = stack.addresses
        assert await one(addresses.database_url) == 1
        client = await Client.connect(addresses.temporal_address)
        namespace = DescribeNamespaceRequest(namespace=addresses.temporal_namespace)
        described = await client.workflow_service.describe_namespace(namespace)
        assert described.namespace_info.name == "default"
        assert httpx.get(addresses.urls["vendor"] + "/healthz").is_success
        assert holder.running(folder) == addresses
        assert (folder / "stack.json").stat().st_mode & 0o077 == 0
        assert running_on(folder)

    assert not running_on(folder)
    assert holder.running(folder) is None
    assert not (folder / "stack.json").exists()


async def test_our_own_programs_run_on_top_and_a_death_among_them_is_told(folder):
    seen = Service(
        "seen", "-m http.server {port} --bind 127.0.0.1 --directory {folder}", 0, {"metrics": 0}, health="/",
        env={"METRICS_PORT": "{metrics}"},
    )  # fmt: skip
    async with stack_on(folder, outside_world=()).up() as stack:
        await stack.run(seen, FILES, env={"EVERGREEN_DATABASE_URL": stack.addresses.database_url})
        program = stack.programs["seen"]
        assert program.env["EVERGREEN_DATABASE_URL"] == stack.addresses.database_url
        assert int(program.env["METRICS_PORT"]) > 0
        assert holder.running(folder).urls.keys() == {"seen", "files"}
        os.kill(program.pid, signal.SIGKILL)
        with pytest.raises(ProgramDied, match="seen ended with signal 9"):
            await stack.watch()


async def test_a_program_that_dies_at_start_is_told_of_with_its_log_and_the_rest_is_stopped(folder):
    broken = Service("broken", "-m no_such_module", 0)
    with pytest.raises(
        ProgramDied, match=r"(?s)broken ended with exit code 1.*No module named no_such_module"
    ):
        async with stack_on(folder, outside_world=(FILES, broken)).up():
            pytest.fail("a stack without one of its programs is not up")

    assert not running_on(folder)
    assert holder.running(folder) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_stack_in_order(folder, number):
    stack = Bystander(UP, folder)
    code = stack.end(number)

    assert code == (-signal.SIGINT if number is signal.SIGINT else 128 + number)
    assert not running_on(folder)
    assert not (folder / "stack.json").exists()
    assert "database system is shut down" in (folder / "logs" / "postgres.log").read_text()


async def test_a_stack_that_is_killed_leaves_nothing_and_the_next_one_works(folder):
    killed = Bystander(UP, folder, "vendor")
    names = {word for process in running_on(folder) for word in process.cmdline()}
    assert {"sandbox.vendor", "start-dev", str(folder / "postgres")} <= names
    killed.end(signal.SIGKILL)

    if sys.platform == "linux":
        assert nothing_runs_on(folder)
    assert holder.running(folder) is None
    assert (folder / "stack.json").exists()
    async with stack_on(folder, outside_world=()).up() as stack:
        assert await one(stack.addresses.database_url) == 1


async def test_a_second_stack_on_the_folder_is_refused_and_told_who_holds_it(folder):
    refusal = rf"process {os.getpid()}.*kill {os.getpid()}"
    with holder.held(folder), pytest.raises(FolderInUse, match=refusal):
        async with stack_on(folder).up():
            pytest.fail("two stacks on one folder")

    (folder / holder.LOCK).write_text("999999999")  # of a process long gone
    with holder.held(folder):
        assert (folder / holder.LOCK).read_text() == str(os.getpid())


def test_what_last_time_left_running_is_stopped_but_never_who_has_its_number_now(folder):
    left, other = (subprocess.Popen([sys.executable, "-c", ASLEEP]) for _ in "12")
    mark = Mark.of(other.pid)
    gone = Mark(pid=999_999_999, started_at=0)
    reused = Mark(pid=other.pid, started_at=mark.started_at - 60)
    State(owner=gone, programs={"left": Mark.of(left.pid), "reused": reused, "gone": gone}).write(folder)

    holder.clear(folder)

    assert left.wait(5) == -signal.SIGTERM
    assert other.poll() is None
    assert not (folder / "stack.json").exists()
    other.kill()
    other.wait()


def test_a_state_that_cannot_be_read_is_no_state(folder):
    (folder / "stack.json").write_text('{"owner": ')

    assert holder.running(folder) is None
    holder.clear(folder)
    assert not (folder / "stack.json").exists()
