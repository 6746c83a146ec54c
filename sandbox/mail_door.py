"""The mail sandbox's SMTP door: takes every mail for everybody, unless it is told to make trouble."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mail_book import Book
from sandbox.mail_faults import Faults

NAME = "mail.sandbox"
LARGEST_BYTES = 10_000_000


@dataclass(frozen=True)
class Door:
    """What happens at each step of a conversation, as aiosmtpd asks."""

    book: Book
    faults: Faults

    def protocol(self) -> asyncio.BaseProtocol:
        """A conversation."""
        return Conversation(self)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, or bounce it, or have it come again."""
        if bounce := self.faults.take("bounce", address):
            return f"{bounce.code or 550} 5.1.1 <{address}>: no such mailbox here"
        if refuse := self.faults.take("refuse", address):
            return f"{refuse.code or 451} 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail; then answer, late, or never."""
        content = envelope.content
        assert isinstance(content, bytes)  # noqa: S101 — we do not have it decoded
        self.book.take(envelope.mail_from or "", envelope.rcpt_tos, content)
        if slow := self.faults.take("slow", *envelope.rcpt_tos):
            await asyncio.sleep(slow.seconds)
        if self.faults.take("lose_reply", *envelope.rcpt_tos) and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]  # a TCP transport, whatever aiosmtpd says
        return "250 2.0.0 kept"


class Conversation(SMTP):
    """One client's conversation."""

    def __init__(self, door: Door) -> None:
        super().__init__(
            door,
            hostname=NAME,
            ident="sandbox",
            data_size_limit=LARGEST_BYTES,
            loop=asyncio.get_running_loop(),
        )
        self._faults = door.faults

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or cut the line at once."""
        super().connection_made(transport)
        if self._faults.take("down"):
            transport.abort()  # type: ignore[attr-defined]  # as above
