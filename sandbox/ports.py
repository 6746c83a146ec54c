"""Ports on loopback: the usual one if it is free, else a free one."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping

from sandbox.program import ProgramFailed

LOOPBACK = "127.0.0.1"
FREE_RANGE = range(20_000, 32_768)  # below the ports that systems hand to outgoing connections
TRIES = 100


class NoFreePort(ProgramFailed):
    """None of the ports that were tried is free."""


def taken(port: int) -> bool:
    """Whether something listens on the port, on loopback or on every address."""
    with socket.socket() as caller:
        caller.settimeout(1)
        if caller.connect_ex((LOOPBACK, port)) == 0:
            return True  # asked first: macOS lets one bind beside a listener on every address
    with socket.socket() as listener:
        # As the servers do: a port whose last connections are still closing counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def free() -> int:
    """A port that nobody uses now. Two callers rarely get the same one: it is drawn. Raises NoFreePort."""
    for port in random.sample(FREE_RANGE, TRIES):
        if not taken(port):
            return port
    raise NoFreePort(f"none of {TRIES} ports between {FREE_RANGE.start} and {FREE_RANGE.stop} is free")


def choose(usual: Mapping[str, int]) -> dict[str, int]:
    """For each name its usual port, or a free one where that is taken or 0. Raises NoFreePort."""
    return {name: port if port and not taken(port) else free() for name, port in usual.items()}
