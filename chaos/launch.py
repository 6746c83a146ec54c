"""Starts a program of ours on a machine that is not well: its clock is wrong, or the disk of its log is full.

    python chaos/launch.py [--skew-seconds N] [--full-log] worker.py

A test tool. The clock is wrong only inside that process, and only for Python: `time.time`, and `datetime.now` as our
own modules see it. /dev/full takes the log's place: every write fails as on a full disk.
"""

from __future__ import annotations

import argparse
import datetime as clocks
import os
import runpy
import sys
import time
from datetime import datetime as real_datetime
from pathlib import Path

real_time = time.time


class _LooksReal(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, real_datetime)


def skew(seconds: float) -> None:
    """Let Python's clocks show so many seconds more."""

    class Skewed(real_datetime, metaclass=_LooksReal):
        @classmethod
        def now(cls, tz: clocks.tzinfo | None = None) -> real_datetime:  # type: ignore[override]  # a real one
            return real_datetime.fromtimestamp(time.time(), tz)

    time.time = lambda: real_time() + seconds
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in OURS:
            for word, value in list(vars(module).items()):
                if value is real_datetime:
                    setattr(module, word, Skewed)


OURS = {"activities", "db", "notices", "payments", "vendor", "worker", "workflows", "domain", "health"}


def main() -> None:
    """Make the machine ill and run the program as `python PROGRAM` would."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--skew-seconds", type=float, default=0.0)
    parser.add_argument("--full-log", action="store_true")
    parser.add_argument("program", type=Path)
    given = parser.parse_args()
    sys.path[0] = str(given.program.resolve().parent)
    if given.skew_seconds:
        __import__("worker")  # so that all our modules are there to be told the wrong time
        skew(given.skew_seconds)
    if given.full_log:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, 1)
        os.dup2(full, 2)
    sys.argv = [str(given.program)]
    if given.skew_seconds:
        sys.exit(sys.modules["worker"].main())
    runpy.run_path(str(given.program), run_name="__main__")


if __name__ == "__main__":
    main()
