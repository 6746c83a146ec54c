"""Which failures are final, and which are only a way to wait; all others are tried again and logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory


@contextmanager
def final(*facts: type[Exception]) -> Iterator[None]:
    """Turn these domain errors into failures that are not retried; the type's name says which it was."""
    try:
        yield
    except facts as failed:
        raise ApplicationError(str(failed), type=type(failed).__name__, non_retryable=True) from failed


@contextmanager
def awaited(*facts: type[Exception]) -> Iterator[None]:
    """Turn these domain errors into failures that are tried again without a warning: they are waited out."""
    try:
        yield
    except facts as not_yet:
        raise ApplicationError(
            str(not_yet), type=type(not_yet).__name__, category=ApplicationErrorCategory.BENIGN
        ) from not_yet
