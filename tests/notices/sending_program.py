"""A sender as a program of its own, to be killed: database URL, SMTP port and seconds of lease are its arguments."""

import asyncio
import logging
import sys
from datetime import timedelta

from db.session import engine_for, sessions_for
from notices.mailer import Mailer
from notices.sender import Sender
from tests.notices.outgoing import FROM, STAFF


async def main(database_url: str, smtp_port: str, lease_seconds: str) -> None:
    """Send until killed."""
    logging.basicConfig(level=logging.INFO)
    engine = engine_for(database_url)
    mailer = Mailer("127.0.0.1", int(smtp_port), FROM, security="none", timeout_seconds=1)
    lease = timedelta(seconds=float(lease_seconds))
    sender = Sender(sessions_for(engine), mailer, STAFF, interval_seconds=0.05, lease=lease)
    await sender.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
