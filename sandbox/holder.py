"""Who holds a data folder and what runs on it: the lock, and `stack.json` by which others find the stack."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, SecretStr, ValidationError, field_serializer

from sandbox import leftovers
from sandbox.leftovers import Mark

LOCK = "stack.lock"
STATE = "stack.json"


class FolderInUse(Exception):
    """Another stack holds the folder; the text says which, and how to stop it."""


class Addresses(BaseModel, frozen=True):
    """Where the parts of a stack answer: `urls` by the name of a service, and `token` opens the sandboxes."""

    database_url: str
    temporal_address: str
    temporal_namespace: str
    temporal_ui_url: str
    token: SecretStr
    urls: Mapping[str, str] = {}

    @field_serializer("token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()


class State(BaseModel, frozen=True):
    """What the folder tells of its stack: who holds it, its programs by name and, once up, its addresses."""

    owner: Mark
    programs: Mapping[str, Mark] = {}
    addresses: Addresses | None = None

    def write(self, folder: Path) -> None:
        """Put it in the folder, whole or not at all, for our own user only."""
        unfinished = folder / f"{STATE}.unfinished"
        unfinished.touch(mode=0o600)
        unfinished.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        unfinished.replace(folder / STATE)

    @classmethod
    def read(cls, folder: Path) -> State | None:
        """What the folder tells, true or stale; None if it tells nothing that can be read."""
        try:
            return cls.model_validate_json((folder / STATE).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None


def running(folder: Path) -> Addresses | None:
    """The addresses of the stack that runs on the folder; None if none does, or it is not up yet."""
    state = State.read(folder)
    return state.addresses if state and state.owner.process() else None


def clear(folder: Path) -> None:
    """Stop what the folder's last stack left running, and forget it. Only for who holds the lock. Blocks."""
    if state := State.read(folder):
        leftovers.end(filter(None, (mark.process() for mark in state.programs.values())), signal.SIGTERM)
    (folder / STATE).unlink(missing_ok=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it however we end. Raises FolderInUse."""
    with (folder / LOCK).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            who = lock.read().strip() or "unknown"
            raise FolderInUse(
                f"an Evergreen stack already runs in {folder}: process {who}. "
                f"Stop it with Ctrl-C in its terminal or `kill {who}`, or take another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
