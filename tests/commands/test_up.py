"""`up`: the embedded stack in a terminal of its own."""

from __future__ import annotations

import json
import signal
from tempfile import TemporaryDirectory

import pytest

from tests.commands.program import CommandLine
from tests.commands.tables import until


@pytest.fixture
def terminal(tmp_path):
    """The command line where no stack is up."""
    with TemporaryDirectory(prefix="evergreen-") as folder:
        yield CommandLine(tmp_path, {"EVERGREEN_FOLDER": folder})


async def test_up_tells_its_addresses_is_found_by_other_commands_and_ends_on_ctrl_c(terminal):
    up = await terminal.started_anew().start("up", "--json")

    async def says_where():
        return up.out.strip().endswith("}")

    await until(says_where, "the stack is up")
    addresses = json.loads(up.out)
    assert addresses["temporal_ui"].startswith("http://127.0.0.1:")

    listed = await terminal("list", "--json")
    assert (listed.code, listed.json) == (0, [])

    second = await terminal("up")
    assert second.code == 3
    assert "an Evergreen stack already runs in" in second.said
    assert "Ctrl-C" in second.said

    ended = await up.end(signal.SIGINT)
    assert (ended.code, json.loads(ended.out)) == (0, addresses)

    after = await terminal("list")
    assert after.code == 2
    assert "make up" in after.said
