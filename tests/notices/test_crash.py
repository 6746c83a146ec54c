"""A sender that dies between the mail server's yes and its own record: at least once, and recognizable."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from sandbox.postgres import Postgres
from tests.notices.outgoing import Outgoing
from tests.notices.running import PATIENCE_SECONDS, ROOT, SandboxMail

LOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%notices%'"


@asynccontextmanager
async def sender_program(
    database_url: str, sandbox: SandboxMail, log: Path
) -> AsyncIterator[subprocess.Popen[bytes]]:
    arguments = [database_url, str(sandbox.smtp_port), "2"]
    with log.open("wb") as output:
        program = subprocess.Popen(
            [sys.executable, "-m", "tests.notices.sending_program", *arguments], cwd=ROOT, stderr=output
        )
    try:
        yield program
    finally:
        program.kill()
        program.wait(PATIENCE_SECONDS)


async def until_it_waits(outgoing: Outgoing, program: subprocess.Popen[bytes]) -> None:
    """Wait until a statement waits for the locked row."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        waits = 0
        while not waits:
            assert program.poll() is None
            async with (
                outgoing.sessions() as session
            ):  # a new one: within a transaction the answer never changes
                waits = await session.scalar(text(LOCKED)) or 0


async def test_R6_killed_between_sending_and_recording_it_repeats_the_same_message_id(
    outgoing: Outgoing, sandbox: SandboxMail, postgres: Postgres, tmp_path: Path
):
    """The server has it and has said so; the row is locked, so the record waits; the sender is killed (SIGKILL)."""
    ann = await outgoing.notice()
    sandbox.fault("slow", times=1, seconds=0.7)
    url = postgres.url("evergreen")
    async with sender_program(url, sandbox, tmp_path / "first.log") as first:
        await outgoing.until(lambda _: len(sandbox.mails()) == 1)
        async with outgoing.sessions.begin() as holding:
            await holding.execute(text("SELECT * FROM notices FOR UPDATE"))
            await until_it_waits(outgoing, first)
            first.kill()
            first.wait(PATIENCE_SECONDS)
    (row,) = await outgoing.rows()
    assert (row.sent_at, row.attempts) == (None, 1)

    async with sender_program(url, sandbox, tmp_path / "second.log"):
        (row,) = await outgoing.all_sent()

    first_mail, second_mail = sandbox.mails(ann)
    assert first_mail["message_id"] == second_mail["message_id"] == f"<{row.id}@evergreen.example>"
    assert first_mail["text"] == second_mail["text"]
    assert row.attempts == 2
    assert ann not in (tmp_path / "first.log").read_text() + (tmp_path / "second.log").read_text()


async def test_a_reply_that_is_lost_is_a_repeat_too(outgoing: Outgoing, sandbox: SandboxMail):
    ann = await outgoing.notice()
    sandbox.fault("lose_reply", times=1)

    async with outgoing.sending():
        (row,) = await outgoing.all_sent()

    assert [mail["message_id"] for mail in sandbox.mails(ann)] == [f"<{row.id}@evergreen.example>"] * 2
    assert outgoing.counts.was_sent == {"expired": 1}
