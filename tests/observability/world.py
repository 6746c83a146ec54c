"""A stack whose worker and portal are real programs that tell all they can: metrics, traces, JSON logs."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from sandbox import ports
from sandbox.stack import PORTAL, WORKER
from tests.end_to_end import world as end_to_end
from tests.money.world import World as MoneyWorld
from tests.observability.sink import Sink, sink
from tests.payments.running import ONE_CALL, Sandbox

SAMPLE = re.compile(r"^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass
class World(MoneyWorld):
    """The stack, and what its programs tell."""

    sink: Sink
    pages: dict[str, str]
    """The Prometheus page of each program."""

    async def metrics(self, program: str) -> list[tuple[str, dict[str, str], float]]:
        """Name, labels and value of each sample on a program's page now."""
        page = (await self.http.get(self.pages[program])).raise_for_status().text
        return [
            (name, dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value))
            for name, labels, value in SAMPLE.findall(page)
        ]

    async def total(self, name: str, program: str = "worker", **labels: str) -> float:
        """The sum of the samples with these labels."""
        return sum(
            value
            for found, has, value in await self.metrics(program)
            if found == name and labels.items() <= has.items()
        )

    def log(self, program: str) -> list[dict[str, Any]]:
        """The lines that a program has logged so far."""
        text = (self.folder / "logs" / f"{program}.log").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def logs(self) -> dict[Path, str]:
        """All that our own programs have logged, as it stands in the files."""
        return {
            path: path.read_text(encoding="utf-8")
            for path in (self.folder / "logs" / "worker.log", self.folder / "logs" / "portal.log")
        }


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A world of its own, gone without a trace at the end."""
    async with (
        end_to_end.world(identity="tests") as made,
        httpx.AsyncClient(timeout=30, limits=ONE_CALL, trust_env=False) as http,
        sink() as spans,
    ):
        open_ports = {name: ports.free() for name in ("worker", "portal")}
        telling = {
            "EVERGREEN_LOG_FORMAT": "json",
            "EVERGREEN_OTLP_ENDPOINT": spans.url,
            "EVERGREEN_GAUGE_SECONDS": "0.2",
            "EVERGREEN_BUILD_ID": "observed",
        }
        await made.stack.run(
            replace(WORKER, env=WORKER.env | {"EVERGREEN_METRICS_PORT": str(open_ports["worker"])}),
            replace(PORTAL, env=PORTAL.env | {"EVERGREEN_PORTAL_METRICS_PORT": str(open_ports["portal"])}),
            env={**made.variables, **telling},
        )
        payments = Sandbox(made.stack.programs["payments"], made.stack.addresses.urls["payments"], http)
        yield World(
            **vars(made),
            payments=payments,
            provider=made.settings.payment_provider(http),
            http=http,
            sink=spans,
            pages={name: f"http://127.0.0.1:{port}/metrics" for name, port in open_ports.items()},
        )
