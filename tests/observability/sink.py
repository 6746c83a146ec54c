"""Where traces go in tests: a server that takes OTLP over HTTP and keeps the spans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import health
from sandbox import ports


@dataclass(frozen=True)
class Span:
    """One span as it arrived."""

    program: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str]
    status: int
    events: tuple[str, ...]


@dataclass
class Sink:
    """The spans that have arrived."""

    url: str
    spans: list[Span] = field(default_factory=list)
    bytes: list[bytes] = field(default_factory=list)
    """All that was sent, as it came."""

    async def take(self, request: Request) -> Response:
        """Keep what an exporter sends."""
        body = await request.body()
        self.bytes.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {a.key: a.value.string_value for a in group.resource.attributes}
            for scope in group.scope_spans:
                self.spans += [
                    Span(
                        program=resource["service.name"],
                        name=span.name,
                        trace_id=span.trace_id.hex(),
                        span_id=span.span_id.hex(),
                        parent_id=span.parent_span_id.hex(),
                        attributes={
                            a.key: a.value.string_value or str(a.value.int_value) for a in span.attributes
                        },
                        status=span.status.code,
                        events=tuple(event.name for event in span.events),
                    )
                    for span in scope.spans
                ]
        return Response()

    async def until(self, name: str, **attributes: str) -> Span:
        """The first span of that name with these attributes, once it has arrived."""
        async with asyncio.timeout(20):
            while True:
                for span in self.spans:
                    if span.name == name and attributes.items() <= span.attributes.items():
                        return span
                await asyncio.sleep(0.05)

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace that have arrived."""
        return [span for span in self.spans if span.trace_id == trace_id]


@asynccontextmanager
async def sink() -> AsyncIterator[Sink]:
    """A sink on a free port of loopback."""
    port = ports.free()
    made = Sink(f"http://127.0.0.1:{port}")
    app = Starlette(routes=[Route("/v1/traces", made.take, methods=["POST"])])
    async with health.served(app, "127.0.0.1", port):
        yield made
