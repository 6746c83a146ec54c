"""The command line as a program: started, killed, and what it answered.

A start of Python with all our libraries takes over a second. So the tests keep one process that has the libraries
(none of our commands), and each program is forked from it: a process of its own all the same, with its own
environment, streams, signals and exit code. `started_anew` is for what is about the start itself.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from signal import SIGTERM
from tempfile import mkdtemp
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.01
WIDE = {"COLUMNS": "200", "TERM": "dumb"}  # so that no sentence is broken where a test looks for it

LIBRARIES = (
    "tests.commands.program",
    "starter",
    "worker",
    "typer",
    "rich.progress",
    "alembic.context",
    "temporalio.testing",
    "db.books",
    "db.invoice_papers",
    "db.purchases",
    "db.request_decisions",
    "db.update_queue",
    "domain.intake",
    "domain.purchase_check",
    "domain.request_license",
    "papers.invoice_paper",
    "sandbox.environment",
    "sandbox.mail_book",
    "sandbox.stack",
    "sandbox.virtual_time",
)
"""Modules that read nothing of the environment when they are loaded."""

forked = multiprocessing.get_context("forkserver")
forked.set_forkserver_preload(list(LIBRARIES))


@dataclass(frozen=True)
class Answer:
    """How a program ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output; an error if there is anything besides it."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """All it wrote, as one line."""
        return " ".join(f"{self.out} {self.err}".split())


@dataclass(frozen=True)
class Running:
    """A program that runs, and the files it writes to."""

    process: multiprocessing.process.BaseProcess | asyncio.subprocess.Process
    folder: Path
    patience_seconds: float

    @property
    def out(self) -> str:
        """What it wrote to standard output so far."""
        return (self.folder / "out").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What it wrote to standard error so far."""
        return (self.folder / "err").read_text(encoding="utf-8")

    def kill(self) -> None:
        """End it by SIGKILL: it can do nothing about it."""
        self.process.kill()

    async def end(self, number: int = SIGTERM) -> Answer:
        """Send a signal; its end."""
        assert self.process.pid
        os.kill(self.process.pid, number)
        return await self.rest()

    async def rest(self) -> Answer:
        """Wait for its end."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                code = await self._ended()
        except TimeoutError:
            self.kill()
            raise AssertionError(f"the program did not end: {self.out}{self.err}") from None
        return Answer(code, self.out, self.err)

    async def _ended(self) -> int:
        if isinstance(self.process, asyncio.subprocess.Process):
            return await self.process.wait()
        while self.process.exitcode is None:
            await asyncio.sleep(POLL_SECONDS)
        return self.process.exitcode


@dataclass(frozen=True)
class CommandLine:
    """`python SCRIPT` with these variables, and nothing of ours in the environment besides."""

    cwd: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    script: str = "starter.py"
    anew: bool = False
    patience_seconds: float = PATIENCE_SECONDS

    def told(self, **variables: str) -> CommandLine:
        """The same, with some variables changed."""
        return replace(self, variables={**self.variables, **variables})

    def worker(self) -> CommandLine:
        """`python worker.py` instead."""
        return replace(self, script="worker.py")

    def started_anew(self) -> CommandLine:
        """The same in a Python that has loaded nothing before."""
        return replace(self, anew=True)

    async def __call__(self, *arguments: object) -> Answer:
        """Run it to its end."""
        return await (await self.start(*arguments)).rest()

    async def start(self, *arguments: object) -> Running:
        """Start it and let it run."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("EVERGREEN_", "TEMPORAL_"))}
        environment = {**inherited, **WIDE, **self.variables}
        words = [str(argument) for argument in arguments]
        folder = Path(mkdtemp(dir=self.cwd, prefix="program-"))
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            if self.anew:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    str(ROOT / self.script),
                    *words,
                    cwd=self.cwd,
                    env=environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                )
                return Running(process, folder, self.patience_seconds)
        child = forked.Process(target=_become, args=(self.script, words, environment, self.cwd, folder))
        await asyncio.to_thread(child.start)
        return Running(child, folder, self.patience_seconds)


def _become(script: str, arguments: list[str], environment: dict[str, str], cwd: Path, folder: Path) -> None:
    """In the forked process: be `python SCRIPT` with these arguments."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = [str(ROOT / script), *arguments]
    module = import_module(script.removesuffix(".py"))
    sys.exit(module.main())
