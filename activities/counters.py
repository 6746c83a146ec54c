"""What activities count, on the worker's Prometheus page; called after the commit of what is counted.

Only what a step changed is counted, so a step that is asked for again counts once; a worker that is killed right after
the commit takes that one with it. Counters tell the rate of things; the exact numbers are in the tables.
"""

from __future__ import annotations

from typing import Literal

from temporalio import activity

Outcome = Literal["renewed", "lapsed", "refused", "expired"]


def renewal(outcome: Outcome) -> None:
    """A term ended one way or the other: renewed, unpaid (R22), the vendor's final no (R23), cancelled (R7)."""
    _add("evergreen_renewals", "Terms that ended, by what became of the renewal", outcome=outcome)


def promise_kept() -> None:
    """A license was updated, and proved, by the promise time (R5, R23)."""
    _add("evergreen_promises_kept", "License updates proved by their promise time")


def promise_broken() -> None:
    """A promise time passed and the license is not updated (R23)."""
    _add("evergreen_promises_broken", "Promise times that passed without the update")


def declined(kind: str) -> None:
    """The payment provider said no: `soft` is tried again, `hard` waits for a new card (R22)."""
    _add("evergreen_payment_declines", "Charges that the payment provider declined", kind=kind)


def _add(name: str, description: str, **labels: str) -> None:
    if activity.in_activity():
        activity.metric_meter().create_counter(name, description).add(1, labels)
