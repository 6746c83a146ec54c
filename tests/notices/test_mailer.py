"""The mailer's answers: sent, not now, never; whoever is to blame, and without an address in them."""

import asyncio
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from notices import envelope
from notices.letters import Letter
from notices.mailer import Mailer, MailNotSent, MailRefused, MailServerAway
from tests.notices.outgoing import FROM
from tests.notices.running import SandboxMail
from tests.notices.strict_server import PASSWORD, USER, strict_server

LETTER = Letter("£5 für Sie", "Grüße\n", "<p>Grüße</p>")
ANN = "ann@example.com"
AT = datetime(2027, 8, 17, 8, 0, tzinfo=UTC)


async def send(mailer: Mailer, to: str = ANN) -> None:
    await mailer.send(LETTER, to, "ntc_1", AT)


async def test_a_mail_has_both_forms_and_says_that_a_machine_wrote_it(mailer: Mailer, sandbox: SandboxMail):
    await send(replace(mailer, reply_to="Support <help@evergreen.example>"))

    (mail,) = sandbox.mails()
    headers = dict(mail["headers"])
    assert (mail["subject"], mail["text"], mail["html"].strip()) == (
        "£5 für Sie",
        "Grüße\n",
        "<p>Grüße</p>",
    )
    assert headers["Reply-To"] == "Support <help@evergreen.example>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Date"] == "Tue, 17 Aug 2027 08:00:00 +0000"
    assert mail["from"] == "renewals@evergreen.example"


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        ({"kind": "bounce"}, MailRefused),
        ({"kind": "bounce", "code": 553}, MailRefused),
        ({"kind": "refuse"}, MailNotSent),
        ({"kind": "refuse", "code": 450}, MailNotSent),
        ({"kind": "refuse", "code": 421}, MailServerAway),
        ({"kind": "lose_reply"}, MailServerAway),
        ({"kind": "down"}, MailServerAway),
    ],
)
async def test_what_goes_wrong_is_told_apart(
    mailer: Mailer, sandbox: SandboxMail, trouble: dict[str, Any], answer: type[Exception]
):
    sandbox.control("POST", "/sandbox/faults", json=trouble)

    with pytest.raises(answer) as raised:
        await send(mailer)

    assert type(raised.value) is answer
    assert "@" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "", "ann", "@example.com", "a@example.com,b@example.com", "a@example.com\nBcc: b@example.com",
        "ann @example.com", "änn@example.com", "a@b..c", "a@example.com>",
    ],
)  # fmt: skip
async def test_what_is_not_one_address_is_refused_before_any_server_is_asked(address: str):
    nowhere = Mailer("127.0.0.1", 1, FROM, security="none")

    with pytest.raises(MailRefused, match="not one e-mail address"):
        await send(nowhere, address)


async def test_a_domain_beyond_ascii_is_written_as_mail_servers_know_it(mailer: Mailer, sandbox: SandboxMail):
    await send(mailer, "ann@bücher.example")

    assert sandbox.mails()[0]["to"] == ["ann@xn--bcher-kva.example"]


async def test_a_server_that_says_nothing_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = Mailer("127.0.0.1", silent.getsockname()[1], FROM, security="none", timeout_seconds=0.3)
        began = time.monotonic()
        with pytest.raises(MailServerAway):
            await send(mailer)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls_and_password(tmp_path: Path, security: Any):
    async with strict_server(tmp_path, from_the_first_byte=security == "tls") as server:
        right = Mailer(
            "localhost",
            server.port,
            FROM,
            security=security,
            user=USER,
            password=PASSWORD,
            timeout_seconds=5,
            tls_context=server.trusting,
        )
        await send(right)
        wrong_password = replace(right, password="wrong")
        stranger = replace(right, user=None)
        untrusted = replace(right, tls_context=None)
        other_name = replace(right, host="127.0.0.1")

        for mailer in (wrong_password, stranger, untrusted, other_name):
            with pytest.raises(MailServerAway) as raised:  # ours to correct: no letter is given up for it
                await send(mailer)
            assert PASSWORD not in str(raised.value) + repr(mailer)
        await asyncio.sleep(0.05)  # connections that failed are closed in the next turns of the loop

    assert [message_from_bytes(mail, policy=default)["To"] for mail in server.mails] == [ANN]


async def test_starttls_is_insisted_on(mailer: Mailer, sandbox: SandboxMail):
    with pytest.raises(MailServerAway):
        await send(replace(mailer, security="starttls"))

    assert sandbox.mails() == []


@pytest.mark.parametrize(
    "wrong", [{"sender": "nobody"}, {"reply_to": "a@b.c, d@e.f"}, {"user": "u", "password": "p"}]
)
def test_settings_that_cannot_be_right_are_refused_at_the_start(wrong: dict[str, str]):
    with pytest.raises(ValueError):
        Mailer(**{"host": "127.0.0.1", "port": 25, "sender": FROM, "security": "none"} | wrong)  # type: ignore[arg-type]


def test_a_repeat_has_the_same_message_id():
    sender, to = envelope.address(FROM), envelope.address(ANN)
    first, second = (envelope.mail(LETTER, sender, to, "ntc_1", at) for at in (AT, AT.replace(hour=20)))

    assert first["Message-ID"] == second["Message-ID"] == "<ntc_1@evergreen.example>"
