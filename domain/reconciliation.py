"""What the reconciliation's workflow, its activities and its askers say to each other.

The same promises as in `domain.messages`: no secret, units in the names, fields only ever added.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.messages import Message

RECONCILIATION_BY_HAND = "reconciliation/by-hand"
"""The id of a reconciliation that a person asks for: a second one joins the one that runs."""

RECONCILIATION_SCHEDULE = "reconciliation"
"""The id of the Temporal Schedule that runs one every day."""


class Stage(StrEnum):
    """What is compared, in this order: payments first, so that a workflow that is started anew finds them settled."""

    UNSETTLED = "unsettled"
    PAYMENTS = "payments"
    MISSING = "missing"
    STRAYS = "strays"
    LICENSES = "licenses"
    ROWS = "rows"


class ReconcileRequest(Message):
    """Reconcile all; what is filled in besides is how far a run has come that continues as new."""

    began_at: datetime | None = Field(None, description="when it began; none: now")
    stage: Stage = Stage.UNSETTLED
    after: str = Field("", description="cursor: the id up to which this stage is done")
    checked: dict[Stage, int] = Field({}, description="how many were compared, by stage")
    unchecked: tuple[Stage, ...] = Field((), description="stages whose server did not answer")


class Batch(Message):
    """One bounded part of a stage."""

    began_at: datetime
    after: str = Field("", description="cursor: where the batch begins")


class BatchDone(Message):
    """How many were compared, and where the next batch begins; none: the stage is done."""

    checked: int
    after: str | None = None


class Conclusion(Message):
    """All stages are through: close what is gone, tell staff of what is new."""

    began_at: datetime
    unchecked: tuple[Stage, ...] = ()


class Reconciled(Message):
    """What came of it."""

    began_at: datetime
    checked: dict[Stage, int]
    unchecked: tuple[Stage, ...]
    healed: int
    open: int = Field(description="differences that need a person")
