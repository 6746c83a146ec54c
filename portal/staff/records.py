"""Lines of the audit as staff read them (R29)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from db.models.audit import AuditRecord


@dataclass(frozen=True)
class Line:
    """One line: what was done, to what, by whom, why."""

    at: datetime
    what: str
    subject: str
    by: str
    reason: str


def lines(found: Iterable[AuditRecord]) -> tuple[Line, ...]:
    """In the order given."""
    return tuple(
        Line(each.at, each.action.replace("_", " "), each.subject, each.actor, each.reason or "")
        for each in found
    )
