"""Metrics, traces, logs and what people see in the Temporal UI."""
