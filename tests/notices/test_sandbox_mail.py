"""The mail sandbox as a program: durable, easy to read and to stop, harmless whatever mail comes."""

import asyncio
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from notices.letters import Letter
from notices.mailer import Mailer, MailServerAway
from sandbox.environment import environment
from sandbox.mail_book import smtp_environment
from sandbox.stack import OUTSIDE_WORLD
from tests.notices.outgoing import FROM
from tests.notices.running import PATIENCE_SECONDS, ROOT, SandboxMail

AT = datetime(2027, 8, 17, 8, 0, tzinfo=UTC)
HOSTILE = Letter(
    "<script>alert(1)</script>",
    "See https://portal.example/a?b=1&c=2.\n<b>bold</b>\n",
    '<h1>Hi</h1><script>alert(1)</script><img src="https://elsewhere.example/x.png">',
)


def on(sandbox: SandboxMail) -> Mailer:
    return Mailer("127.0.0.1", sandbox.smtp_port, FROM, security="none", timeout_seconds=5)


async def test_what_was_taken_survives_a_kill(own_sandbox: SandboxMail):
    for number in range(5):
        await on(own_sandbox).send(HOSTILE, "ann@example.com", f"ntc_{number}", AT)

    own_sandbox.kill()
    own_sandbox.start()

    assert [mail["message_id"] for mail in own_sandbox.mails()] == [
        f"<ntc_{number}@evergreen.example>" for number in range(5)
    ]
    assert own_sandbox.control("GET", "/healthz") == {"status": "ok", "mails": 5}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_asked_even_while_it_is_slow(own_sandbox: SandboxMail, number: signal.Signals):
    own_sandbox.fault("slow", seconds=60)
    sending = asyncio.create_task(on(own_sandbox).send(HOSTILE, "ann@example.com", "ntc_1", AT))
    while not own_sandbox.mails():
        await asyncio.sleep(0.02)

    own_sandbox.process.send_signal(number)

    assert await asyncio.to_thread(own_sandbox.process.wait, PATIENCE_SECONDS) == 0
    with pytest.raises(MailServerAway):
        await sending


def test_a_taken_port_ends_it_with_an_error(sandbox: SandboxMail, tmp_path):
    other = replace(sandbox, folder=tmp_path)
    ended = subprocess.run(
        other.command, cwd=ROOT, capture_output=True, timeout=PATIENCE_SECONDS, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.decode() == f"cannot listen on 127.0.0.1:{sandbox.port}: Address already in use\n"


async def test_its_pages_show_a_hostile_mail_and_let_it_do_nothing(sandbox: SandboxMail):
    await on(sandbox).send(HOSTILE, "ann@example.com", "ntc_1", AT)
    number = sandbox.mails()[0]["id"]
    pages = {
        path: httpx.get(sandbox.url + path) for path in ("/", f"/mails/{number}", f"/mails/{number}.html")
    }

    for path, page in pages.items():
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert ("sandbox;" in policy) == path.endswith(".html")
        assert "script-src" not in policy
    one = pages[f"/mails/{number}"].text
    for page in (pages["/"].text, one):
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert f'<iframe sandbox src="/mails/{number}.html"' in one
    assert '<a href="https://portal.example/a?b=1&amp;c=2.">' in one
    assert "&lt;b&gt;bold&lt;/b&gt;" in one
    assert httpx.get(f"{sandbox.url}/mails/{number}.eml").text.startswith("From: Evergreen <renewals@")
    assert httpx.get(f"{sandbox.url}/mails/999999").status_code == 404


async def test_mails_are_found_by_address_and_page_by_page(sandbox: SandboxMail):
    for number in range(3):
        await on(sandbox).send(HOSTILE, f"n{number}@example.com", f"ntc_{number}", AT)

    assert "There are none" not in httpx.get(sandbox.url).text
    assert [mail["to"] for mail in sandbox.mails("N1@example.com")] == [["n1@example.com"]]
    newest = sandbox.control("GET", "/sandbox/mails", params={"limit": 1})
    older = sandbox.control("GET", "/sandbox/mails", params={"before": newest[0]["id"]})
    assert [mail["to"] for mail in (*newest, *older)] == [[f"n{number}@example.com"] for number in (2, 1, 0)]
    sandbox.control("DELETE", "/sandbox/mails")
    assert "There are none" in httpx.get(sandbox.url).text


def test_a_fault_strikes_as_often_as_it_was_set_and_can_be_lifted(sandbox: SandboxMail):
    sandbox.fault("bounce", times=2, address="a@example.com")
    sandbox.fault("down")

    assert [fault["kind"] for fault in sandbox.control("GET", "/sandbox/faults")] == ["bounce", "down"]
    assert len(sandbox.control("DELETE", "/sandbox/faults", params={"kind": "down"})) == 1
    wrong = sandbox.client.post(f"{sandbox.url}/sandbox/faults", json={"kind": "bounce", "adress": "x"})
    assert wrong.status_code == 422


def test_the_help_teaches_every_path_and_fault(sandbox: SandboxMail):
    command = [sys.executable, "-m", "sandbox.mail", "--help"]
    taught = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    description = sandbox.control("GET", "/openapi.json")

    for path, methods in description["paths"].items():
        for method in methods:
            if not path.startswith("/mails/{number}."):  # the two forms that the page of a mail leads to
                assert f"\n  {method.upper():6} {path} " in taught
    for kind in description["components"]["schemas"]["Fault"]["properties"]["kind"]["enum"]:
        assert f"\n  {kind} " in taught


def test_the_stack_has_it_and_tells_our_programs_where_it_is(sandbox: SandboxMail, tmp_path):
    assert "mail" in {service.name for service in OUTSIDE_WORLD}
    assert smtp_environment(sandbox.data) == {
        "EVERGREEN_SMTP_HOST": "127.0.0.1",
        "EVERGREEN_SMTP_PORT": str(sandbox.smtp_port),
        "EVERGREEN_SMTP_SECURITY": "none",
    }
    assert smtp_environment(tmp_path / "none.db") == {}
    assert "smtp_environment" in environment.__code__.co_names
