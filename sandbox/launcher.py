"""Becomes another program, one that cannot outlive its parent: `launcher.py PARENT SIGNAL ACCOUNT PROGRAM …`.

Started by path and in Python's isolated mode, so it imports only the standard library. It replaces itself, so
the process id stays the same. SIGNAL is what the program gets when PARENT dies, however it dies (on Linux;
elsewhere the next stack stops what was left, see stack.py). ACCOUNT is empty, or the user to become.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h


def become(parent: int, death_signal: int, account: str, argv: list[str]) -> None:
    """Replace this process by the program. Returns only when the parent is gone already. Raises OSError."""
    if account:
        entry = pwd.getpwnam(account)
        os.initgroups(account, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if sys.platform == "linux":  # after the change of user, which would clear it
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, death_signal)
    if os.getppid() != parent:  # it died before the line above
        return
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    os.execvp(argv[0], argv)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    try:
        become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    except OSError as failed:
        sys.exit(f"cannot start {sys.argv[4]}: {failed}")
