"""Temporal's own command line, as support uses it on a subscription."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from sandbox import temporal
from sandbox.holder import Addresses


@dataclass
class CommandLine:
    """Runs `temporal` against the test's server, deaf to any configuration of this machine."""

    addresses: Addresses

    async def __call__(self, *words: str) -> str:
        """Run one command, which must succeed; what it printed."""
        binary = await temporal.find_server(Path())
        where = [
            "--address",
            self.addresses.temporal_address,
            "--namespace",
            self.addresses.temporal_namespace,
        ]
        running = await asyncio.create_subprocess_exec(
            binary,
            *temporal.GLOBAL,
            *where,
            *words,
            env={name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
            | temporal.AT_HOME,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await running.communicate()
        assert running.returncode == 0, printed.decode()
        return printed.decode()
