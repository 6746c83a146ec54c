"""The user that PostgreSQL runs as when we are root, because it refuses to be root itself."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import time
from pathlib import Path

from sandbox.program import ProgramFailed

NAME = "pgserver"  # the one that the wheel of PostgreSQL would make
MAKING_SECONDS = 5.0
READ = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
SEARCH = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class NoAccount(ProgramFailed):
    """We are root and cannot make a user for PostgreSQL; the text says how to mend it."""


def server_account() -> str | None:
    """None unless we are root; else the name of the user, made if there is none. Raises NoAccount. Blocks."""
    if os.geteuid() != 0:
        return None
    deadline = time.monotonic() + MAKING_SECONDS
    while not _known():
        if time.monotonic() > deadline:
            raise NoAccount(f"PostgreSQL will not run as root: make a user named {NAME}, or do not be root")
        if shutil.which("useradd"):  # it fails while another useradd runs, hence again
            options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
            subprocess.run(["useradd", *options, NAME], check=False, capture_output=True)
    return NAME


def give(folder: Path, account: str | None) -> None:
    """Make the folder the account's, and let it pass through the folders above."""
    if account:
        shutil.chown(folder, account)
        open_path(folder)


def open_path(path: Path) -> None:
    """Let every user pass through the folders above the path (not read them)."""
    for above in path.parents:
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            above.chmod(mode | stat.S_IXOTH)


def open_tree(folder: Path) -> None:
    """Let every user read the folder and run its programs, even if it was installed with a strict umask."""
    open_path(folder)
    if folder.stat().st_mode & stat.S_IROTH:
        return
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | READ | (SEARCH if mode & stat.S_IXUSR else 0))


def _known() -> bool:
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        return False
    return True
