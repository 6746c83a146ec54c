"""Traces by OpenTelemetry, from a request to the portal over the workflow to the vendor and the payment provider.

A request's trace goes with its update or signal into the workflow and on into the activities of the handler. What a
workflow does by itself is in a trace of its own, one for each run, which is one term: its trace id is the run id,
without dashes. Workflows make no spans: one would stay open for a year. Programs come here by `telemetry.switch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from temporalio import client, worker, workflow
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor, create_tracer_provider
from temporalio.converter import PayloadConverter

from telemetry.discretion import Discreet

HEADER = "_tracer-data"
"""Where the SDK's interceptor looks for the trace."""

NOT_TRACED = "healthz,readyz,metrics"


class Traces(client.Interceptor, worker.Interceptor):
    """Spans for what clients ask and activities do; workflows only hand the trace on."""

    def __init__(self) -> None:
        self._spans = OpenTelemetryInterceptor(add_temporal_spans=True)
        self._hands_on = OpenTelemetryInterceptor()

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """A span for every start, signal, update and query."""
        return self._spans.intercept_client(next)

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        """A span for every attempt of an activity."""
        return self._spans.intercept_activity(next)

    def of_calls(self, http: httpx.AsyncClient) -> None:
        """Spans for this client's calls; those it calls are told the trace."""
        HTTPXClientInstrumentor.instrument_client(http)

    def of_requests(self, app: FastAPI) -> None:
        """Spans for what is asked of this application, named by route."""
        FastAPIInstrumentor.instrument_app(app, excluded_urls=NOT_TRACED, exclude_spans=["receive", "send"])

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Handlers go on in the trace of their request, the run in one of its own."""
        hands_on: Any = self._hands_on.workflow_interceptor_class(input)

        class TraceOfTheRun(hands_on):  # type: ignore[misc]  # the SDK's class is private, its factory is not
            async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
                """Not the trace of whoever started it: an import of a million, all their years, would be one."""
                trace_id = workflow.info().run_id.replace("-", "")
                carrier = {"traceparent": f"00-{trace_id}-{trace_id[:16]}-01"}
                payload = PayloadConverter.default.to_payload(carrier)
                input.headers = {**input.headers, HEADER: payload}
                return await super().execute_workflow(input)

        return TraceOfTheRun


@contextmanager
def exported(endpoint: str, program: str, build_id: str) -> Iterator[Traces]:
    """Send spans to the endpoint while the block runs; the interceptor for Temporal."""
    resource = Resource.create({"service.name": f"evergreen-{program}", "service.version": build_id})
    provider = create_tracer_provider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(Discreet(BatchSpanProcessor(exporter, schedule_delay_millis=1000)))
    trace.set_tracer_provider(provider)
    try:
        yield Traces()
    finally:
        provider.shutdown()
