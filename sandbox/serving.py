"""Programs that serve on ports of loopback: the choice of the ports, and our programs as lines in a table."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from sandbox import leftovers, ports
from sandbox.ports import LOOPBACK
from sandbox.program import OnSpawn, Program, ProgramDied

ROOT = Path(__file__).parent.parent
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP only: spares loading the world's certificates


async def start_on_ports(
    usual: Mapping[str, int], build: Callable[[Mapping[str, int]], Program]
) -> tuple[Program, dict[str, int]]:
    """Start what `build` makes on its usual ports or free ones; the program and its ports.

    Somebody else may take a port between the choice and the start: then once more, on free ones.
    Raises ProgramFailed.
    """
    chosen = ports.choose(usual)
    try:
        program = build(chosen)
        await program.start()
    except ProgramDied:
        if not any(ports.taken(port) for port in chosen.values()):
            raise
        chosen = ports.choose(dict.fromkeys(usual, 0))
        program = build(chosen)
        await program.start()
    return program, chosen


@dataclass(frozen=True)
class Service:
    """A Python program of ours that serves on loopback.

    `arguments` are what follows `python`, and `env` its own variables. In both, `{port}` stands for its port,
    other names in braces for `further_ports` and for what the stack fills in (`{folder}`, `{token}`). It is up
    when GET `health` answers 200 on its port; without `health`, when it listens there.
    """

    name: str
    arguments: str
    usual_port: int
    further_ports: Mapping[str, int] = field(default_factory=dict)
    health: str | None = "/healthz"
    env: Mapping[str, str] = field(default_factory=dict)
    start_within_seconds: float = 30.0
    stop_within_seconds: float = 30.0

    async def start(
        self,
        *,
        log: Path,
        filled_in: Mapping[str, str],
        env: Mapping[str, str | None],
        any_ports: bool = False,
        on_spawn: OnSpawn | None = None,
    ) -> tuple[Program, str]:
        """Start it; the program and the URL it answers on. Raises ProgramFailed."""

        def build(chosen: Mapping[str, int]) -> Program:
            words = {**filled_in, **{name: str(port) for name, port in chosen.items()}}
            return Program(
                self.name,
                [sys.executable, *(word.format_map(words) for word in self.arguments.split())],
                log,
                ready=lambda pid: self._answers(pid, chosen["port"]),
                env={"PYTHONUNBUFFERED": "1", **env, **{k: v.format_map(words) for k, v in self.env.items()}},
                cwd=ROOT,
                start_within_seconds=self.start_within_seconds,
                stop_within_seconds=self.stop_within_seconds,
                on_spawn=on_spawn,
            )

        usual = {"port": self.usual_port, **self.further_ports}
        program, chosen = await start_on_ports(dict.fromkeys(usual, 0) if any_ports else usual, build)
        return program, f"http://{LOOPBACK}:{chosen['port']}"

    async def _answers(self, pid: int, port: int) -> bool:
        if not leftovers.listens(pid, port):
            return False
        if self.health is None:
            return True
        try:
            async with httpx.AsyncClient(verify=NO_TLS, trust_env=False) as http:
                return (await http.get(f"http://{LOOPBACK}:{port}{self.health}")).is_success
        except httpx.TransportError:
            return False
