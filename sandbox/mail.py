"""The mail sandbox: stands in for mail server and mailboxes on one machine. Its `--help` teaches."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from sandbox.mail_book import Book
from sandbox.mail_controls import Controls
from sandbox.mail_door import Door
from sandbox.mail_faults import Faults

HELP = """\
A mail server to develop and test against: it takes every mail for everybody, sends none on, keeps them in a file
and shows them on a page. It makes trouble when told to.
"""

LESSON = """\
try it:
  python -m sandbox.mail --port 8025 --smtp-port 1025 --data .evergreen/mail.db

  then send mail to port 1025 of this machine (no TLS, no password), and read it in a browser on port 8025.

what you can do to it:
  GET    /                   the mails, newest first; ?to=ADDRESS, ?before=NUMBER
  GET    /mails/{number}     one mail: headers, text, HTML
  GET    /sandbox/mails      the same as JSON: ?to=ADDRESS, ?before=NUMBER, ?limit=N
  DELETE /sandbox/mails      throw them all away
  POST   /sandbox/faults     {"kind": KIND, "times": N, "address": ADDRESS, "code": CODE, "seconds": S}
  GET    /sandbox/faults     the faults that still stand
  DELETE /sandbox/faults     lift them all, or ?kind=KIND
  GET    /healthz            is it up, and how many mails it has

kinds of fault (without "times": until lifted; without "address": for every recipient; a restart lifts them):
  refuse      answers "code" (451: try again later; 421: closing)
  bounce      answers "code" (550: no such mailbox)
  slow        keeps the mail, and says so only "seconds" (2) later
  lose_reply  keeps the mail, then cuts the line without saying so
  down        cuts every line at once
"""


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then exit with 0; exit with 1 if a port is taken."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(
            number, lambda *_: sys.exit(0)
        )  # uvicorn stops serving first, then raises the signal again
    with listener(options.host, options.port) as page, listener(options.host, options.smtp_port) as door:
        book = Book(options.data)
        try:
            serve(book, page, door)
        finally:
            book.close()


def serve(book: Book, page: socket.socket, door: socket.socket) -> None:
    """Write down and say where we are, and serve both."""
    config = uvicorn.Config(
        application(book, door), ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    host, port = door.getsockname()[:2]
    book.opened(host, port)
    print(
        f"sandbox mail: http://{host}:{page.getsockname()[1]}, SMTP on {host}:{port}; it sends nothing on",
        flush=True,
    )
    uvicorn.Server(config).run(sockets=[page])


def listener(host: str, port: int) -> socket.socket:
    """A socket bound to this address, or to any free port for 0; exits with 1 if it is taken.

    Made as TCP by name: else asyncio leaves Nagle's algorithm on, and every answer takes 40 ms.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error.strerror}")
    return bound


def application(book: Book, smtp: socket.socket) -> FastAPI:
    """The pages and controls; while they are served, so is SMTP."""
    faults = Faults()
    door = Door(book, faults)

    @asynccontextmanager
    async def open_door(_app: FastAPI) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(door.protocol, sock=smtp)
        yield
        server.close()  # conversations are cut off when the program ends

    mail = FastAPI(title="Sandbox mail", version="1", lifespan=open_door)
    mail.include_router(Controls(book, faults).routes())
    return mail


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.mail",
        description=HELP,
        epilog=LESSON,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, required=True, help="for the pages; 0: any free one")
    parser.add_argument("--smtp-port", type=int, required=True, help="for mail; 0: any free one")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FILE", help="the mails; made if there is none"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    return parser


if __name__ == "__main__":
    main()
