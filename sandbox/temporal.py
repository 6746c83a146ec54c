"""Temporal's own development server with its UI, as a program on loopback that keeps its data in one file.

The server comes out of a wheel, which there is for x86-64 Linux and Apple silicon. Elsewhere the one on PATH
is taken, or the SDK downloads it once, beside the data.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from sandbox import leftovers
from sandbox.ports import LOOPBACK
from sandbox.program import OnSpawn, Program, ProgramFailed
from sandbox.serving import start_on_ports

USUAL_PORTS = {"port": 7233, "ui_port": 8233}
GLOBAL = ("--disable-config-env", "--disable-config-file", "--log-level", "warn")
START = (*GLOBAL, "server", "start-dev", "--ip", LOOPBACK, "--ui-disable-news-fetch")
ON_DISK = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL")
TIME_SKIPPING = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"10ms"',  # a skip takes 20 ms instead of up to a second
    # The server looks at most twenty times a second for timers that are due: a skip over many then takes long.
    "history.timerProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxPollHostRPS": "10000",
    "history.workflowIdReuseMinimalInterval": '"0s"',
}
AT_HOME = {"TEMPORAL_VERSION_CHECK_DISABLED": "1"}  # it must not call out


class NoTemporal(ProgramFailed):
    """There is no Temporal server on this machine and none could be fetched; the text says how to mend it."""


class TemporalServer:
    """A Temporal server. It keeps its data in `file`, or only in memory where that is None.

    `search_attributes` maps names to types ('Keyword', 'Datetime', 'Bool', …). With `time_skipping` a
    TimeSkipper may move the clock of a workflow. A usual port of 0 means any free one; ports stay the same
    across starts. The UI has payloads opened at the address `ui_codec`.
    """

    def __init__(
        self,
        file: Path | None,
        *,
        log: Path,
        search_attributes: Mapping[str, str] | None = None,
        time_skipping: bool = False,
        namespace: str = "default",
        usual_ports: Mapping[str, int] = USUAL_PORTS,
        ui_codec: str | None = None,
        on_spawn: OnSpawn | None = None,
    ) -> None:
        self.ui_codec = ui_codec
        self.file = file.resolve() if file else None
        self.log = log
        self.search_attributes = dict(search_attributes or {})
        self.time_skipping = time_skipping
        self.namespace = namespace
        self.on_spawn = on_spawn
        self.ports = dict(usual_ports)
        self.program: Program | None = None

    @property
    def address(self) -> str:
        """`host:port` for clients, once started."""
        return f"{LOOPBACK}:{self.ports['port']}"

    @property
    def ui_url(self) -> str:
        """Where the web UI is, once started."""
        return f"http://{LOOPBACK}:{self.ports['ui_port']}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start; return when namespace and search attributes are there. Raises ProgramFailed."""
        if self.program:
            await self.program.start()
            return
        binary = await find_server((self.file or self.log).parent)
        self.program, self.ports = await start_on_ports(self.ports, lambda ports: self._server(binary, ports))

    async def stop(self) -> None:
        """Stop in order: a second or so, as the server drains; at once if it keeps nothing."""
        if self.program:
            await self.program.stop()

    def kill(self) -> None:
        """The fault of a crash: SIGKILL. `start` goes on with the same file and ports."""
        if self.program:
            self.program.kill()

    def _server(self, binary: Path, ports: Mapping[str, int]) -> Program:
        argv = [str(binary), *START, "--namespace", self.namespace]
        argv += ["--port", str(ports["port"]), "--ui-port", str(ports["ui_port"])]
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            argv += [
                "--db-filename",
                self.file.name,
                *ON_DISK,
            ]  # from cwd: a path with ? or # would be cut there
        if self.ui_codec:
            argv += ["--ui-codec-endpoint", self.ui_codec]
        for name, kind in self.search_attributes.items():
            argv += ["--search-attribute", f"{name}={kind}"]
        for key, value in TIME_SKIPPING.items() if self.time_skipping else ():
            argv += ["--dynamic-config-value", f"{key}={value}"]
        return Program(
            "Temporal",
            argv,
            self.log,
            ready=lambda pid: self._answers(pid, ports),
            env=AT_HOME,
            cwd=self.file.parent if self.file else None,
            stop_signal=signal.SIGTERM if self.file else signal.SIGKILL,
            on_spawn=self.on_spawn,
        )

    async def _answers(self, pid: int, ports: Mapping[str, int]) -> bool:
        if not leftovers.listens(pid, *ports.values()):
            return False
        try:
            client = await Client.connect(f"{LOOPBACK}:{ports['port']}", namespace=self.namespace)
            namespace = DescribeNamespaceRequest(namespace=self.namespace)
            await client.workflow_service.describe_namespace(namespace)
            attributes = ListSearchAttributesRequest(namespace=self.namespace)
            known = await client.operator_service.list_search_attributes(attributes)
        except (RPCError, RuntimeError):  # the SDK says RuntimeError when it cannot connect
            return False
        return self.search_attributes.keys() <= known.custom_attributes.keys()


async def find_server(downloads: Path) -> Path:
    """The program `temporal`: beside our Python, on PATH, or downloaded by the SDK. Raises NoTemporal."""
    if found := _installed() or _downloaded(downloads):
        return found
    try:
        # The SDK only downloads in order to start: let it, and run the program ourselves from then on.
        await asyncio.to_thread(downloads.mkdir, parents=True, exist_ok=True)
        fetched = await WorkflowEnvironment.start_local(download_dest_dir=str(downloads))
    except RuntimeError as failed:
        raise NoTemporal(
            f"there is no program `temporal` here, and it could not be downloaded ({failed}). "
            "Install evergreen[embedded] or Temporal's command line, or use your own server."
        ) from failed
    await fetched.shutdown()
    if found := _downloaded(downloads):
        return found
    raise NoTemporal(f"the SDK downloaded a Temporal server, but it is not in {downloads}")


def _installed() -> Path | None:
    beside_python = Path(sys.executable).parent
    found = shutil.which("temporal", path=beside_python) or shutil.which("temporal")
    return Path(found) if found else None


def _downloaded(folder: Path) -> Path | None:
    found = [path for path in folder.glob("temporal-*") if path.is_file() and os.access(path, os.X_OK)]
    return max(found, default=None)
