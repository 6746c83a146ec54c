"""The SDK's runtime with its Prometheus page, on which our own metrics stand beside those of the SDK."""

from __future__ import annotations

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig


def runtime(host: str, port: int) -> Runtime:
    """A runtime that serves `http://host:port/metrics`; names and units as Prometheus has them; port 0: none."""
    if not port:
        return Runtime(telemetry=TelemetryConfig())
    page = PrometheusConfig(
        bind_address=f"{host}:{port}", counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    return Runtime(telemetry=TelemetryConfig(metrics=page))
