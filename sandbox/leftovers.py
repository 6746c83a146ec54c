"""Processes as the system sees them: marks of them that last on disk, and an end to what was left running."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it brings no types
from pydantic import BaseModel

SAME_START_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.02


class Mark(BaseModel, frozen=True):
    """One process for certain: a number may be used again, a number and a start time are not."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> Mark:
        """The mark of a process that runs. Raises psutil.NoSuchProcess."""
        return cls(pid=pid, started_at=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process, if it still runs and is the same one."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started_at) < SAME_START_SECONDS
            return found if same and alive(found) else None
        except psutil.NoSuchProcess:
            return None


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended is gone, even if nobody asked how it did (as in containers)."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def end(processes: Iterable[psutil.Process], number: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """End the processes by the signal, and by SIGKILL those that do not obey in time. Blocks."""
    left = list(processes)
    for insistence in (number, signal.SIGKILL):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(insistence)
        deadline = time.monotonic() + patience_seconds
        while (left := [process for process in left if alive(process)]) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def exists(pid: int) -> bool:
    """Whether any process has that number."""
    return bool(psutil.pid_exists(pid))


def at_home_in(name: str, *folders: Path) -> list[psutil.Process]:
    """The processes of that name that work in one of the folders; those we may not look at are not ours."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == name and Path(process.cwd()) in folders:
                found.append(process)
        except psutil.Error:
            continue
    return found


def listens(pid: int, *ports: int) -> bool:
    """Whether that very process (or a child of it) listens on the ports: another's answer proves nothing."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
        connections = [found for process in family for found in process.net_connections(kind="tcp")]
    except psutil.Error:
        return False
    listening = {found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN}
    return listening.issuperset(ports)
