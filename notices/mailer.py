"""The way out: one letter to one address by SMTP. Sends once and says what came of it; trying again is the sender's.

    MailError
    ├── MailNotSent               not now: try again later
    │   └── MailServerAway        the server does not answer, or not us: no letter is to blame
    └── MailRefused               final for this address or this letter: a bounce

No error's text holds an address: a server's own words are kept without those in them.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final, Literal

import aiosmtplib

from notices import envelope
from notices.letters import Letter

Security = Literal["none", "starttls", "tls"]
"""`starttls` and `tls` insist on an encrypted connection and a valid certificate; `tls` from the first byte."""

LONGEST_ERROR: Final = 300
GOODBYE_SECONDS: Final = 2.0
CLOSING: Final = 421
FINAL: Final = 500


class MailError(Exception):
    """The letter was not sent."""


class MailNotSent(MailError):
    """Not now; another time it may be."""


class MailServerAway(MailNotSent):
    """The mail server does not answer, hangs up, or does not let us in."""


class MailRefused(MailError):
    """The server will never take this letter for this address, or there is no such address."""


@dataclass(frozen=True)
class Mailer:
    """A mail server and who we are there. `sender` is like `Evergreen <renewals@example.com>`."""

    host: str
    port: int
    sender: str
    security: Security = "starttls"
    user: str | None = None
    password: str = field(default="", repr=False)
    reply_to: str | None = None
    timeout_seconds: float = 20.0
    """For all of one letter, from connecting to the server's yes."""
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)
    """None: the certificates that this machine trusts."""

    def __post_init__(self) -> None:
        """Raise ValueError for an address that is none, or a password that anybody on the way could read."""
        envelope.address(self.sender)
        if self.reply_to is not None:
            envelope.address(self.reply_to)
        if self.user is not None and self.security == "none":
            raise ValueError("a mail password is never sent over a connection that is not encrypted")

    async def send(self, letter: Letter, to: str, notice_id: str, at: datetime) -> None:
        """Send it to this one address; return when the server has taken it. Raises MailNotSent, MailRefused."""
        sender = envelope.address(self.sender)
        reply_to = envelope.address(self.reply_to) if self.reply_to is not None else None
        try:
            recipient = envelope.address(to)
        except envelope.NotAnAddress as wrong:
            raise MailRefused(str(wrong)) from None
        mail = envelope.mail(letter, sender, recipient, notice_id, at, reply_to)
        client = self._client(sender.domain)
        try:
            async with asyncio.timeout(self.timeout_seconds):
                with _talking():
                    await client.connect()
                    await client.sendmail(sender.addr_spec, recipient.addr_spec, mail.as_bytes())
        except TimeoutError:
            client.close()  # it would not hear a goodbye either
            raise MailServerAway(f"no answer within {self.timeout_seconds:g} seconds") from None
        finally:
            await _hang_up(client)

    def _client(self, our_domain: str) -> aiosmtplib.SMTP:
        encrypted = self.security != "none"
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password if self.user is not None else None,
            local_hostname=our_domain,  # else it asks the DNS for it, and everything here would wait
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            tls_context=(self.tls_context or _trusted()) if encrypted else None,
            timeout=self.timeout_seconds,
        )


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _talking() -> Iterator[None]:
    """Turn what may go wrong into ours.

    Final is only a 5xx to the recipient or to the letter itself; one to us, as who comes in or who sends, is about
    our settings, and would be the same for every letter.
    """
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as refused:
        raise _answered(refused.recipients[0]) from None
    except aiosmtplib.SMTPDataError as refused:
        raise _answered(refused) from None
    except aiosmtplib.SMTPException as failed:
        raise MailServerAway(_words(failed)) from None
    except OSError as failed:
        raise MailServerAway(type(failed).__name__) from None


def _answered(refused: aiosmtplib.SMTPResponseException) -> MailError:
    if refused.code == CLOSING:
        return MailServerAway(_words(refused))
    return MailRefused(_words(refused)) if refused.code >= FINAL else MailNotSent(_words(refused))


def _words(failed: aiosmtplib.SMTPException) -> str:
    """The server's code and words without any address, or what kind of failure it was."""
    if not isinstance(failed, aiosmtplib.SMTPResponseException):
        return type(failed).__name__
    words = re.sub(r"\S*@\S*", "…", " ".join(str(failed.message).split()))
    return f"{failed.code} {words}"[:LONGEST_ERROR]


async def _hang_up(client: aiosmtplib.SMTP) -> None:
    """Say goodbye; how the server takes that changes nothing any more."""
    with suppress(aiosmtplib.SMTPException, OSError):
        if client.is_connected:
            await client.quit(timeout=GOODBYE_SECONDS)
    client.close()
