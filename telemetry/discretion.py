"""Keeps what may be personal or secret out of traces: only attributes on the list below leave the process (R28).

A URL may hold a sign-in token, an error's text an address: so paths, queries, headers and texts are not on the list.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Status
from opentelemetry.util.types import Attributes

PASSED_ON = frozenset(
    {
        "temporalWorkflowID",
        "temporalRunID",
        "temporalActivityID",
        "http.method",
        "http.request.method",
        "http.route",
        "http.status_code",
        "http.response.status_code",
        "net.peer.name",
        "server.address",
        "server.port",
        "error.type",
        "exception.type",
    }
)


class Discreet(SpanProcessor):
    """Hands spans on to another processor without what is not on the list."""

    def __init__(self, to: SpanProcessor) -> None:
        self._to = to

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing leaves yet."""
        self._to.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand a copy on, with only what is on the list; a status keeps its code and loses its text."""
        self._to.on_end(
            ReadableSpan(
                name=span.name,
                context=span.get_span_context(),
                parent=span.parent,
                resource=span.resource,
                attributes=_passed_on(span.attributes),
                events=[Event(e.name, _passed_on(e.attributes), e.timestamp) for e in span.events],
                kind=span.kind,
                status=Status(span.status.status_code),
                start_time=span.start_time,
                end_time=span.end_time,
                instrumentation_scope=span.instrumentation_scope,
            )
        )

    def shutdown(self) -> None:
        """Send what is left."""
        self._to.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what there is now."""
        return self._to.force_flush(timeout_millis)


def _passed_on(attributes: Attributes) -> Attributes:
    return {name: value for name, value in (attributes or {}).items() if name in PASSED_ON}
