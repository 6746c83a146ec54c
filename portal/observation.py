"""What operators see of the portal: each request in metrics and in one log line, by its route, never by its path.

A path may hold an id that somebody guessed, a query a sign-in token: neither is written anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import perf_counter
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNKNOWN_ROUTE = "none"
"""One label for all that no route takes: else whoever guesses paths makes a metric of each."""

FOR_SUPERVISORS = ("/healthz", "/readyz")

log = structlog.get_logger("portal.requests")


class RequestMetrics:
    """Counts and latencies by method and route, and the page that shows them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ["method", "route"]
        self.counts = Counter(
            "evergreen_http_requests", "Answered requests", [*labels, "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "evergreen_http_request_seconds", "Time to the last byte", labels, registry=self.registry
        )

    def serve(self, host: str, port: int) -> None:
        """Show them on `http://host:port/metrics`, in a thread that ends with the process."""
        start_http_server(port, addr=host, registry=self.registry)


@dataclass(frozen=True)
class Observed:
    """An application whose requests are measured, logged, and known by an id that the answer tells."""

    app: ASGIApp
    metrics: RequestMetrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; an id that came with the request is kept if it looks like one."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        came = Headers(scope=scope).get(HEADER, "")
        request_id = came if GOOD_ID.fullmatch(came) else uuid4().hex
        began, status = perf_counter(), 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, told)
            finally:
                self._tell(scope["method"], _route(scope), status, perf_counter() - began)

    def _tell(self, method: str, route: str, status: int, seconds: float) -> None:
        self.metrics.counts.labels(method, route, status).inc()
        self.metrics.seconds.labels(method, route).observe(seconds)
        log.info("answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _route(scope: Scope) -> str:
    """The template of the route that took the request, like `/subscriptions/{subscription_id}`."""
    if scope["path"] in FOR_SUPERVISORS:  # plain routes, which do not tell
        return str(scope["path"])
    path = getattr(scope.get("route"), "path", None)
    return f"{scope.get('root_path', '')}{path}" if path else UNKNOWN_ROUTE  # with the place of a mounted one
