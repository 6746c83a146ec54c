"""SIGTERM and a closed terminal, made to end a block as Ctrl-C does: what it started is stopped in order."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def orderly() -> Iterator[None]:
    """On SIGTERM or SIGHUP cancel this task; the block having ended, exit with 128 + the signal.

    Ctrl-C needs nothing here: `asyncio.run` cancels its task. A signal that is handled or ignored stays so.
    """
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    received: list[int] = []

    def interrupt(number: int) -> None:
        received.append(number)
        task.cancel()

    ours = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        loop.add_signal_handler(number, interrupt, number)
    try:
        yield
    except asyncio.CancelledError:
        if received:
            raise SystemExit(128 + received[0]) from None
        raise
    finally:
        for number in ours:
            loop.remove_signal_handler(number)
