"""A child process under supervision: started, waited for until it answers, stopped, never outliving us.

It has a session of its own: Ctrl-C in the terminal reaches only us, and we decide the order of the end. It is
no daemon: on Linux the kernel ends it when we die, even by SIGKILL (to be exact: when the thread that started
it ends).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Probe = Callable[[int], Awaitable[bool]]
"""Asked with the process id whether the program answers; says no as long as it does not, and never raises."""

OnSpawn = Callable[[str, int], None]
"""Told the name and the process id as soon as there is one."""

LAUNCHER = Path(__file__).with_name("launcher.py")
POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 10_000_000
QUOTED_LINES = 15


class ProgramFailed(Exception):
    """A program did not come up; the text is for people and says what to do, or quotes the program's log.

    - ProgramDied: it ended by itself
    - ProgramLate: it runs, but does not answer in time
    - NoFreePort: there is no port for it (ports.py)
    - NoPostgres, NotADataFolder, SocketFolderNotOurs: PostgreSQL cannot even be tried (cluster.py)
    - NoAccount: nor can it as root, without a user to run as (account.py)
    - NoTemporal: there is no Temporal server here (temporal.py)
    """


class ProgramDied(ProgramFailed):
    """The program ended by itself; the text quotes the end of its log."""


class ProgramLate(ProgramFailed):
    """The program did not answer before its deadline; the text quotes the end of its log."""


async def always(pid: int) -> bool:
    """The probe of a program that has nothing to ask: it is ready as soon as it runs."""
    return True


@dataclass
class Program:
    """What to run, how to know that it is up, and its process while there is one.

    `env` adds to our own; a variable that is None there is taken away.
    """

    name: str
    argv: Sequence[str]
    log: Path
    ready: Probe = always
    env: Mapping[str, str | None] = field(default_factory=dict)
    cwd: Path | None = None
    account: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    start_within_seconds: float = 60.0
    probe_within_seconds: float = 3.0
    stop_within_seconds: float = 10.0
    on_spawn: OnSpawn | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _log_start: int = field(default=0, init=False, repr=False)

    @property
    def pid(self) -> int | None:
        """The process id, also of a process that ended by itself; None before start and after stop."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def died(self) -> bool:
        """Whether the process ended without being told to by `stop` or `kill`."""
        return self._process is not None and not self.running

    async def start(self) -> None:
        """Start it and return when it answers; nothing if it runs. Raises ProgramDied, ProgramLate."""
        if self.running:
            return
        try:
            self._spawn()
            await self._answer()
        except BaseException:  # also when we are cancelled: nothing half started stays
            self.kill()
            raise

    async def finish(self) -> None:
        """Run it to its end. Raises ProgramDied unless that is a good one."""
        try:
            self._spawn()
            if await self.ended() != 0:
                raise self.death()
        finally:
            self.kill()

    async def ended(self) -> int:
        """Wait for its end; the exit code, or minus the signal. One that was never started has ended."""
        while self.running:  # noqa: ASYNC110  # the end of a process is no event of asyncio
            await asyncio.sleep(POLL_SECONDS)
        return self._process.returncode if self._process else 0

    async def stop(self) -> None:
        """End it in its own way; by SIGKILL when that takes too long or we are cancelled meanwhile."""
        try:
            if self._process and self.running:
                self._process.send_signal(self.stop_signal)
                async with asyncio.timeout(self.stop_within_seconds):
                    await self.ended()
        except TimeoutError:
            pass  # killed below
        finally:
            self.kill()

    def kill(self) -> None:
        """End it and what it started by SIGKILL, at once; a fault for tests, and the last resort of stop."""
        if self._process and self.running:
            with suppress(ProcessLookupError, PermissionError):  # it ended just now (macOS: not permitted)
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def death(self) -> ProgramDied:
        """The error that tells of its end, with the end of its log."""
        code = self._process.returncode if self._process else 0
        how = f"exit code {code}" if code >= 0 else f"signal {-code} ({signal.strsignal(-code)})"
        return ProgramDied(self._account_of(f"ended with {how}"))

    def _spawn(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".old"))
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(self.death_signal))]
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [*launcher, self.account or "", *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={n: v for n, v in {**os.environ, **self.env}.items() if v is not None},
                cwd=self.cwd,
                start_new_session=True,
            )
        if self.on_spawn:
            self.on_spawn(self.name, self._process.pid)

    async def _answer(self) -> None:
        try:
            async with asyncio.timeout(self.start_within_seconds):
                while self._process and self.running:
                    if await self._probe(self._process.pid) and self.running:
                        return
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            late = f"does not answer after {self.start_within_seconds:g} s"
            raise ProgramLate(self._account_of(late)) from None
        raise self.death()

    async def _probe(self, pid: int) -> bool:
        try:
            async with asyncio.timeout(self.probe_within_seconds):
                return await self.ready(pid)
        except TimeoutError:
            return False

    def _account_of(self, what: str) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()[-QUOTED_LINES:]
        quoted = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
        return f"{self.name} {what}. The end of its log, {self.log}:\n{quoted}"
