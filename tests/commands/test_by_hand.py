"""What docs/temporal.md says about Temporal's own command line, tried with it."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from sealing.keys import Keys
from sealing.payloads import SealedPayloads
from tests.commands import book
from tests.commands.program import ROOT
from tests.commands.tables import subscription_of, until
from tests.opened import opened

PAGE = (ROOT / "docs" / "temporal.md").read_text(encoding="utf-8")
SIGNAL = next(line for line in PAGE.splitlines() if "temporal workflow signal" in line)
QUERY = next(line for line in PAGE.splitlines() if "temporal workflow query" in line)
ANY_ID = "sub_…"


@pytest.fixture(scope="module")
def by_hand(stack):
    """Runs a line of the page; what it printed."""
    program = shutil.which("temporal", path=Path(sys.executable).parent) or shutil.which("temporal")
    assert program
    addresses = stack.addresses

    async def run(line: str, subscription: str = "", *more: str) -> str:
        words = shlex.split(line.strip().replace(ANY_ID, subscription))[1:]
        where = ("--address", addresses.temporal_address, "--namespace", addresses.temporal_namespace)
        process = await asyncio.create_subprocess_exec(
            program,
            *words,
            *more,
            *where,
            env={"HOME": "/nowhere", "PATH": "/usr/bin"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    return run


@pytest.fixture
async def subscription(evergreen, folder, sessions):
    row = book.row(expires_on=str(book.today() + timedelta(days=100)))
    await evergreen("import", book.write(folder / f"{row['license_key']}.csv", [row]))
    return await subscription_of(sessions, row)


@pytest.fixture
def status(by_hand, subscription, variables):
    """What the query on the page answers."""
    codec = SealedPayloads(Keys.parse(variables["EVERGREEN_CODEC_KEYS"]))

    async def asked():
        return opened(await by_hand(QUERY, subscription, "--output", "json"), codec)

    return asked


async def test_a_cancellation_typed_by_hand_counts_like_any_other(by_hand, subscription, status):
    assert "by" in SIGNAL
    await by_hand(SIGNAL, subscription)

    async def decided():
        return (await status())["decision"]

    await until(decided, "the decision")
    decision = (await status())["decision"]
    assert (decision["kind"], decision["outcome"], decision["by"]) == ("cancel", "accepted", "support:jo")


async def test_a_payload_that_is_mistyped_is_refused_where_it_shows(by_hand, subscription, status):
    await by_hand(SIGNAL.replace('"reason"', '"raeson"'), subscription)

    async def refused():
        return (await status())["refusals"]

    await until(refused, "the refusal")
    answer = await status()
    assert "raeson: there is no such field" in answer["refusals"][0]["reason"]
    assert answer["auto_renew"] is True
