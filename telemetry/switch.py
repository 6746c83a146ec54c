"""Traces are off unless an endpoint is set: OpenTelemetry, a quarter of a program's start, is loaded only then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemetry.traces import Traces


@contextmanager
def traced(endpoint: str, program: str, build_id: str) -> Iterator[Traces | None]:
    """Send spans to the endpoint while the block runs; None, and nothing is sent, where it is empty."""
    if not endpoint:
        yield None
        return
    from telemetry.traces import exported

    with exported(endpoint, program, build_id) as traces:
        yield traces
