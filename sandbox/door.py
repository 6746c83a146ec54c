"""The door of a sandbox that speaks HTTP: its socket, how it is served, and how it is left."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from typing import Any, Literal

import uvicorn

from sandbox.hang_up import HangUpProtocol

GRACE_SECONDS = 1  # whom a slow sandbox keeps waiting longer than that is cut off


def attend() -> None:
    """Log to stderr, and exit with 0 on SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    for quiet in ("uvicorn", "httpx"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops serving first, then raises the signal again
        signal.signal(number, lambda *_: sys.exit(0))


def listener(host: str, port: int) -> socket.socket:
    """A socket bound to this address, or to any free port for 0; exits with 1 if it is taken.

    Made as TCP by name: else asyncio leaves Nagle's algorithm on, and every answer takes 40 ms.
    """
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error.strerror}")
    return door


def serve(application: Any, door: socket.socket, lifespan: Literal["on", "off"] = "off") -> None:
    """Serve the ASGI application, which may hang up (`hang_up.py`), until told to stop."""
    config = uvicorn.Config(
        application,
        http=HangUpProtocol,
        ws="none",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[door])
