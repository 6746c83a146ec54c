"""Which failures are final: trying the activity again cannot help, and the workflow decides what follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError


@contextmanager
def final(*facts: type[Exception]) -> Iterator[None]:
    """Turn these domain errors into failures that are not retried; the type's name says which it was."""
    try:
        yield
    except facts as failed:
        raise ApplicationError(str(failed), type=type(failed).__name__, non_retryable=True) from failed
