"""The sender, on a real outbox and a real mail server: everything goes out, once, and trouble holds up nobody."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db import outbox
from db.session import engine_for, sessions_for
from notices.patience import Patience
from notices.sender import Sender
from tests.notices.facts import HELD
from tests.notices.outgoing import FROM, STAFF, Counts, Outgoing
from tests.notices.running import SandboxMail


async def test_R6_a_notice_goes_out_once_with_both_forms_and_its_message_id(
    outgoing: Outgoing, sandbox: SandboxMail
):
    ann = await outgoing.notice()

    async with outgoing.sending():
        (row,) = await outgoing.all_sent()
        await asyncio.sleep(0.3)  # some more looks into the outbox

    (mail,) = sandbox.mails()
    headers = dict(mail["headers"])
    assert (mail["to"], headers["From"], headers["To"]) == ([ann], FROM, ann)
    assert mail["message_id"] == f"<{row.id}@evergreen.example>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert abs(datetime.now(UTC) - datetime.strptime(headers["Date"], "%a, %d %b %Y %X %z")).seconds < 60
    assert "Hello Ann Example," in mail["text"]
    assert "<p>Hello Ann Example,</p>" in mail["html"]
    assert "https://portal.example" not in mail["text"]  # this kind has nothing to do there
    assert (row.attempts, row.last_error) == (1, None)
    assert outgoing.counts.was_sent == {"expired": 1}


async def test_a_staff_notice_goes_to_staff_and_names_the_customer(outgoing: Outgoing, sandbox: SandboxMail):
    await outgoing.notice(
        kind="promise_broken", facts=HELD | {"reason": "the promise time has passed"}, audience="staff"
    )

    async with outgoing.sending():
        await outgoing.all_sent()

    (mail,) = sandbox.mails(STAFF)
    assert mail["subject"] == "Promise broken: SmarterMail Enterprise 250 of Ann Example"
    assert "https://portal.example" in mail["text"]


async def test_two_senders_at_once_send_each_notice_once(outgoing: Outgoing, sandbox: SandboxMail):
    for _ in range(60):
        await outgoing.notice()

    async with outgoing.sending(outgoing.sender(at_once=4), outgoing.sender(at_once=4)):
        rows = await outgoing.all_sent()

    assert sorted(mail["message_id"] for mail in sandbox.mails()) == sorted(
        f"<{row.id}@evergreen.example>" for row in rows
    )
    assert {row.attempts for row in rows} == {1}


async def test_a_mail_server_that_is_down_blocks_nothing_and_all_goes_out_when_it_is_back(
    outgoing: Outgoing, own_sandbox: SandboxMail
):
    own_sandbox.kill()
    outgoing = outgoing.through(port=own_sandbox.smtp_port)
    await outgoing.notice()

    async with outgoing.sending():
        await outgoing.until(lambda rows: rows[0].attempts >= 3)
        began = time.monotonic()
        await outgoing.notice()  # what writes notices does not even notice
        assert time.monotonic() - began < 1
        assert (await outgoing.failing())["hour"] >= 1
        own_sandbox.start()
        rows = await outgoing.all_sent()

    assert len(own_sandbox.mails()) == len(rows) == 2
    assert outgoing.counts.has_failed["server_away", False] >= 2
    assert await outgoing.failing() == {"hour": 0, "day": 0, "older": 0, "given_up": 0}


async def test_a_bounce_is_marked_and_visible_others_go_out_and_it_can_be_tried_again(
    outgoing: Outgoing, sandbox: SandboxMail
):
    sandbox.fault("bounce", address="gone@example.com")
    await outgoing.notice("gone@example.com")
    await outgoing.notice("here@example.com")

    async with outgoing.sending():
        gone, _here = await outgoing.until(
            lambda rows: rows[0].last_error is not None and rows[1].sent_at is not None
        )
        assert (gone.sent_at, gone.attempts, gone.next_attempt_at) == (None, 1, outbox.NEVER)
        assert gone.last_error == "refused: 550 5.1.1 … no such mailbox here"
        assert await outgoing.failing() == {"hour": 0, "day": 0, "older": 0, "given_up": 1}
        async with outgoing.sessions.begin() as session:
            assert [notice.id for notice in await outbox.given_up(session)] == [gone.id]
            sandbox.control("DELETE", "/sandbox/faults")
            assert await outbox.try_again(session, datetime.now(UTC), gone.id) == 1
        await outgoing.all_sent()

    assert [mail["to"] for mail in sandbox.mails()] == [["here@example.com"], ["gone@example.com"]]
    assert outgoing.counts.has_failed == {("refused", True): 1}


async def test_a_letter_that_is_refused_for_now_is_tried_again_and_in_the_end_given_up(
    outgoing: Outgoing, sandbox: SandboxMail
):
    sandbox.fault("refuse", times=2)
    sandbox.fault("refuse", address="never@example.com", code=450)
    await outgoing.notice("soon@example.com")
    patience = Patience(
        first=timedelta(0), longest=timedelta(0), give_up_after=timedelta(0), least_attempts=6
    )
    async with outgoing.sending(outgoing.sender(patience=patience)):
        (soon,) = await outgoing.all_sent()
        await outgoing.notice("never@example.com")
        await outgoing.until(lambda rows: rows[1].next_attempt_at == outbox.NEVER)

    assert soon.attempts == 3
    assert (await outgoing.rows())[1].attempts == 6
    assert await outgoing.failing() == {"hour": 0, "day": 0, "older": 0, "given_up": 1}
    assert outgoing.counts.has_failed == {("not_now", False): 7, ("not_now", True): 1}


async def idle_transactions(outgoing: Outgoing) -> int:
    async with outgoing.sessions() as session:
        query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        return await session.scalar(text(query)) or 0


async def test_a_slow_mail_server_holds_up_one_letter_and_no_transaction(
    outgoing: Outgoing, sandbox: SandboxMail
):
    sandbox.fault("slow", address="slow@example.com", seconds=60)
    await outgoing.notice("slow@example.com")

    async with outgoing.through(timeout_seconds=2).sending():
        for _ in range(10):
            await outgoing.notice()
        await outgoing.until(lambda rows: sum(row.sent_at is not None for row in rows) == 10)
        async with asyncio.timeout(1):  # one that is held open would be there each time
            while await idle_transactions(outgoing):
                pass
        assert outgoing.counts.has_failed == {}
        await outgoing.until(lambda rows: rows[0].last_error is not None)

    assert (await outgoing.rows())[0].last_error == "server_away: no answer within 2 seconds"


async def test_a_letter_that_cannot_be_written_is_visible_and_holds_up_nobody(
    outgoing: Outgoing, sandbox: SandboxMail
):
    await outgoing.notice(kind="no_such_kind")
    await outgoing.notice(kind="reminder_60", facts=HELD)
    await outgoing.notice()

    async with outgoing.sending():
        unknown, lacking, _well = await outgoing.until(
            lambda rows: bool(rows[0].last_error and rows[1].last_error and rows[2].sent_at)
        )

    assert "TemplateNotFound" in (unknown.last_error or "")
    assert "'renews_on' is undefined" in (lacking.last_error or "")
    assert len(sandbox.mails()) == 1
    assert outgoing.counts.has_failed["not_written", False] >= 2


async def test_what_a_customer_calls_themselves_cannot_change_a_mail(
    outgoing: Outgoing, sandbox: SandboxMail
):
    await outgoing.notice(name="<b>Eve</b>\r\nBcc: all@example.com")
    await outgoing.notice("a@example.com,b@example.com", name="Two")

    async with outgoing.sending():
        _eve, two = await outgoing.until(lambda rows: bool(rows[0].sent_at and rows[1].last_error))

    (mail,) = sandbox.mails()
    assert "&lt;b&gt;Eve&lt;/b&gt; Bcc: all@example.com" in mail["html"]
    assert len(mail["to"]) == 1
    assert "Bcc" not in dict(mail["headers"])
    assert two.last_error == "refused: not one e-mail address"


async def test_R28_no_address_name_or_key_is_logged(
    outgoing: Outgoing, sandbox: SandboxMail, caplog: pytest.LogCaptureFixture
):
    sandbox.fault("bounce", address="gone@example.com")
    sandbox.fault("refuse", address="later@example.com", times=1)
    sandbox.fault("lose_reply", address="lost@example.com", times=1)
    caplog.set_level(logging.DEBUG)
    facts = HELD | {"last_four": "SM-SECRET-1A2B"}
    for who in ("gone", "later", "lost", "fine"):
        await outgoing.notice(f"{who}@example.com", facts=facts, name="Secret Name")
    await outgoing.notice(kind="no_such_kind", facts=facts, name="Secret Name")

    async with outgoing.sending():
        rows = await outgoing.until(
            lambda rows: sum(row.sent_at is not None for row in rows) == 3 and bool(rows[0].last_error)
        )

    logged = [record for record in caplog.records if record.name.startswith("notices")]
    assert {row.id for row in rows} == {row.id for row in rows if row.id in caplog.text}
    assert any("given up" in record.getMessage() for record in logged)
    for secret in ("@example.com", "Secret Name", "SECRET", "1A2B"):
        assert secret not in caplog.text
        assert secret not in "".join(row.last_error or "" for row in rows)


async def test_a_sender_survives_a_database_that_does_not_answer(
    outgoing: Outgoing, caplog: pytest.LogCaptureFixture
):
    engine = engine_for("postgresql://nobody@127.0.0.1:1/nothing", connect_seconds=1)
    lost = Sender(sessions_for(engine), outgoing.mailer, STAFF, interval_seconds=0.02)

    async with outgoing.sending(lost):
        await asyncio.sleep(0.2)

    await engine.dispose()
    assert caplog.text.count("the outbox cannot be read") > 1


async def test_a_sender_survives_whoever_keeps_its_tally(outgoing: Outgoing, sandbox: SandboxMail):
    class Broken(Counts):
        def sent(self, kind: str) -> None:
            raise RuntimeError("no metrics today")

    for _ in range(6):
        await outgoing.notice()

    async with outgoing.sending(outgoing.sender(tally=Broken())):
        await outgoing.all_sent()

    assert len(sandbox.mails()) == 6


async def test_a_sender_that_is_told_to_stop_finishes_what_it_has_begun(
    outgoing: Outgoing, sandbox: SandboxMail
):
    sandbox.fault("slow", seconds=0.5)
    await outgoing.notice()
    stop = asyncio.Event()
    running = asyncio.create_task(outgoing.sender().run(stop))
    await outgoing.until(lambda _: len(sandbox.mails()) == 1)

    stop.set()
    await running

    (row,) = await outgoing.rows()
    assert row.sent_at is not None
    assert len(sandbox.mails()) == 1


async def test_a_lease_must_outlast_the_mailer(outgoing: Outgoing):
    with pytest.raises(ValueError, match="lease"):
        outgoing.sender(lease=timedelta(seconds=5))
