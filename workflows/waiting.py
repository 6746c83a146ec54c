"""How a workflow waits: until an instant, or until something happens, whichever is first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from temporalio import workflow


async def happens_before(instant: datetime, condition: Callable[[], bool], summary: str) -> bool:
    """Wait until `condition` holds or `instant` comes; tells whether it held.

    An instant already past starts no timer. `summary` labels the timer in the Temporal UI.
    """
    while not condition():
        remaining = instant - workflow.now()
        if remaining.total_seconds() <= 0:
            return False
        try:
            await workflow.wait_condition(condition, timeout=remaining, timeout_summary=summary)
        except TimeoutError:
            continue  # a timer may be early by the rounding of its milliseconds: look at the clock again
    return True
