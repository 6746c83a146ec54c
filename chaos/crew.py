"""The workers: real `python worker.py` programs, started again whenever they are gone, as a supervisor does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.program import Program, ProgramFailed
from sandbox.serving import Service

PAUSE_SECONDS = 0.3


@dataclass
class Place:
    """A place for one worker; what stands here holds from its next start on."""

    number: int
    build: str
    skew_seconds: float = 0.0
    full_log: bool = False
    program: Program | None = None
    starts: int = 0

    @property
    def service(self) -> Service:
        """How the worker is started."""
        ill = f" --skew-seconds {self.skew_seconds}" if self.skew_seconds else ""
        ill += " --full-log" if self.full_log else ""
        return Service(
            f"worker-{self.number}",
            f"chaos/launch.py{ill} worker.py" if ill else "worker.py",
            0,
            {"metrics": 0},
            health="/healthz",
            env={"EVERGREEN_HEALTH_PORT": "{port}", "EVERGREEN_METRICS_PORT": "{metrics}"},
            stop_within_seconds=5,
        )


@dataclass
class Crew:
    """Keeps a worker in every place. `variables` are the settings of all of them."""

    logs: Path
    variables: Mapping[str, str]
    places: list[Place] = field(default_factory=lambda: [Place(0, "chaos-a"), Place(1, "chaos-b")])
    failures: list[str] = field(default_factory=list)
    """Starts that did not come up; a server may have been away just then."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Crew]:
        """Workers in every place while the block runs."""
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(self._keep(place)) for place in self.places]
            try:
                yield self
            finally:
                for task in keeping:
                    task.cancel()
        for place in self.places:
            if place.program:
                await place.program.stop()

    async def _keep(self, place: Place) -> None:
        while True:
            if place.program is None or not place.program.running:
                await self._start(place)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _start(self, place: Place) -> None:
        try:
            place.program, _url = await place.service.start(
                log=self.logs / f"worker-{place.number}.log",
                filled_in={},
                env={**self.variables, "EVERGREEN_BUILD_ID": place.build},
                any_ports=True,
            )
            place.starts += 1
        except ProgramFailed as failed:
            self.failures.append(str(failed))
