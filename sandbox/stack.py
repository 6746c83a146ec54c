"""The embedded stack: PostgreSQL, Temporal and the sandboxes on loopback, and our own programs on top.

    async with Stack(search_attributes=...).up() as stack:
        await stack.run(WORKER, env={"EVERGREEN_DATABASE_URL": stack.addresses.database_url, ...})
        await stack.watch()

However the block ends (Ctrl-C, SIGTERM, a closed terminal, an error), everything is stopped in reverse order.
When we are killed outright the kernel ends the programs (Linux), or the next stack on the folder does.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from sandbox import holder, temporal
from sandbox.holder import Addresses, State
from sandbox.interruption import orderly
from sandbox.leftovers import Mark
from sandbox.postgres import Postgres
from sandbox.program import Program
from sandbox.serving import Service
from sandbox.temporal import TemporalServer

WATCH_SECONDS = 0.2

OUTSIDE_WORLD = (
    Service("vendor", "-m sandbox.vendor --port {port} --data {folder}/vendor.db --token {token}", 8601),
    Service("payments", "-m sandbox.payments --port {port} --data {folder}/payments.db", 8602),
    Service(
        "mail",
        "-m sandbox.mail --port {port} --smtp-port {smtp} --data {folder}/mail.db",
        8025,
        {"smtp": 1025},
    ),
)
"""What stands in for the outside world besides PostgreSQL and Temporal; a new one is a new line."""

WORKER = Service(
    "worker",
    "worker.py",
    9465,
    {"metrics": 9464},
    health="/readyz",
    env={"EVERGREEN_HEALTH_PORT": "{port}", "EVERGREEN_METRICS_PORT": "{metrics}"},
)
PORTAL = Service(
    "portal",
    "-m portal",
    8000,
    {"metrics": 9466},
    health="/readyz",
    env={
        "EVERGREEN_PORTAL_PORT": "{port}",
        "EVERGREEN_PORTAL_URL": "http://127.0.0.1:{port}",
        "EVERGREEN_PORTAL_METRICS_PORT": "{metrics}",
    },
)


@dataclass(frozen=True)
class Stack:
    """A stack to bring up on a folder, where its data, logs and `stack.json` are.

    `fast` is for tests: PostgreSQL does not wait for the disk. `any_ports` does not even try the usual ones.
    The Temporal UI has payloads opened at what `ui_codec` answers for the folder; without, it shows them sealed.
    """

    folder: Path = Path(".evergreen")
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    outside_world: tuple[Service, ...] = OUTSIDE_WORLD
    database: str = "evergreen"
    time_skipping: bool = False
    fast: bool = False
    any_ports: bool = False
    ui_codec: Callable[[Path], str] | None = None
    keeps_history: bool = True
    """Whether Temporal's data is in the folder; else it is in memory, and gone when the stack is."""

    @asynccontextmanager
    async def up(self) -> AsyncIterator[RunningStack]:
        """The stack while it is up. Raises FolderInUse, ProgramFailed."""
        folder = self.folder.resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with holder.held(folder), orderly():
            await asyncio.to_thread(holder.clear, folder)
            try:
                async with AsyncExitStack() as on_exit:
                    running = RunningStack(self, folder, on_exit)
                    await running.start()
                    yield running
            finally:
                holder.clear(folder)


class RunningStack:
    """A stack that is up: its addresses, its servers, its programs by name; tests may kill and start them."""

    addresses: Addresses

    def __init__(self, stack: Stack, folder: Path, on_exit: AsyncExitStack) -> None:
        self._stack = stack
        self._folder = folder
        self._logs = folder / "logs"
        self._on_exit = on_exit
        self._state = State(owner=Mark.of(os.getpid()))
        self.programs: dict[str, Program] = {}
        self.postgres = Postgres(
            folder / "postgres", fast=stack.fast, log=self._logs / "postgres.log", on_spawn=self._spawned
        )
        self.temporal = TemporalServer(
            folder / "temporal.db" if stack.keeps_history else None,
            log=self._logs / "temporal.log",
            search_attributes=stack.search_attributes,
            time_skipping=stack.time_skipping,
            usual_ports=dict.fromkeys(temporal.USUAL_PORTS, 0) if stack.any_ports else temporal.USUAL_PORTS,
            ui_codec=stack.ui_codec(folder) if stack.ui_codec else None,
            on_spawn=self._spawned,
        )

    async def start(self) -> None:
        """Start the servers and the outside world, all at once; `Stack.up` does. Raises ProgramFailed."""
        token = SecretStr(secrets.token_hex())
        urls: dict[str, str] = {}
        outside = (self._serve(service, urls, token, {}) for service in self._stack.outside_world)
        await together(self._database(), self._temporal(), *outside)
        self.addresses = Addresses(
            database_url=self.postgres.url(self._stack.database),
            temporal_address=self.temporal.address,
            temporal_namespace=self.temporal.namespace,
            temporal_ui_url=self.temporal.ui_url,
            token=token,
            urls=urls,
        )
        self._record(addresses=self.addresses)

    async def run(self, *services: Service, env: Mapping[str, str | None] | None = None) -> None:
        """Start programs of ours, all at once, with `env` added to our environment. Raises ProgramFailed.

        What is None in `env` is taken out of it.
        """
        urls = dict(self.addresses.urls)
        await together(*(self._serve(service, urls, self.addresses.token, env or {}) for service in services))
        self.addresses = self.addresses.model_copy(update={"urls": urls})
        self._record(addresses=self.addresses)

    async def watch(self) -> None:
        """Wait until a program ends by itself, for ever if none does; then raise ProgramDied with its log."""
        while True:
            for program in (self.postgres.program, self.temporal.program, *self.programs.values()):
                if program and program.died:
                    raise program.death()
            await asyncio.sleep(WATCH_SECONDS)

    async def _database(self) -> None:
        self._on_exit.push_async_callback(self.postgres.stop)
        await self.postgres.start()
        await self.postgres.create_database(self._stack.database)

    async def _temporal(self) -> None:
        self._on_exit.push_async_callback(self.temporal.stop)
        await self.temporal.start()

    async def _serve(
        self, service: Service, urls: dict[str, str], token: SecretStr, env: Mapping[str, str | None]
    ) -> None:
        program, urls[service.name] = await service.start(
            log=self._logs / f"{service.name}.log",
            filled_in={"folder": str(self._folder), "token": token.get_secret_value()},
            env=env,
            any_ports=self._stack.any_ports,
            on_spawn=self._spawned,
        )
        self.programs[service.name] = program
        self._on_exit.push_async_callback(program.stop)

    def _spawned(self, name: str, pid: int) -> None:
        self._record(programs={**self._state.programs, name: Mark.of(pid)})

    def _record(self, **changes: object) -> None:
        self._state = self._state.model_copy(update=changes)
        self._state.write(self._folder)


async def together(*starts: Coroutine[object, object, None]) -> None:
    """Do all at once; if one fails the others are cancelled, and its own error is raised, not a group."""
    try:
        async with asyncio.TaskGroup() as group:
            for start in starts:
                group.create_task(start)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
