"""What runs on a folder, and scripts in processes of their own that start something there and then are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 10.0


def running_on(folder: Path) -> list[psutil.Process]:
    """The processes, other than our own, that name the folder in their command line or work in it."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.cwd()]
        except psutil.Error:
            continue
        if process.pid != psutil.Process().pid and any(str(folder) in word for word in words):
            found.append(process)
    return found


class Bystander:
    """A script in a process of its own, that says 'up' when it has done what the test wants."""

    def __init__(self, script: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        first = self.process.stdout.readline().strip()
        assert first == "up", first + self.process.communicate()[1]

    def end(self, number: int) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(number)
        return self.rest()

    def rest(self) -> int:
        """Wait for its end; the exit code."""
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode


def nothing_runs_on(folder: Path) -> bool:
    """Whether a moment later nothing runs on the folder any more."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while running_on(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
