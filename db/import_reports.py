"""What was found in a file that staff checked or imported, as the audit keeps it: never a license key (R28)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.models.audit import AuditRecord
from db.models.intake import Intake
from domain.intake_problem import Problem

MOST = 5000
"""So many bad rows are kept of a file; of more nobody mends them one by one."""
ACTION = "import_file"


@dataclass(frozen=True, slots=True)
class Report:
    """A file that was checked whole, and what is wrong with its rows; `problems` in its order."""

    id: str
    """Of the import that took its good rows, or of the check that took nothing."""
    filename: str
    by: str
    at: datetime
    good: int
    bad: int
    flagged: int
    problems: tuple[Problem, ...]


async def keep(
    session: AsyncSession,
    report_id: str,
    filename: str,
    by: str,
    at: datetime,
    good: int,
    flagged: int,
    problems: Sequence[Problem],
    reason: str,
) -> None:
    """Write it down, in the transaction that takes the rows; the same id again changes nothing."""
    kept = [[one.line, one.column, one.reason, one.mend] for one in problems[:MOST]]
    details = {"filename": filename, "good": good, "bad": len(problems), "flagged": flagged, "problems": kept}
    key = f"{ACTION}/{report_id}"
    await audit.record(
        session, actor=by, action=ACTION, subject=report_id, at=at, details=details, reason=reason, key=key
    )


async def one(session: AsyncSession, report_id: str) -> Report | None:
    """The report of this import or check; None when there is none."""
    query = select(AuditRecord).where(AuditRecord.key == f"{ACTION}/{report_id}")
    line = (await session.scalars(query)).one_or_none()
    return None if line is None else _report(line)


async def intakes(session: AsyncSession, limit: int = 50) -> Sequence[Intake]:
    """The newest imports, whoever began them."""
    return (await session.scalars(select(Intake).order_by(Intake.at.desc(), Intake.id).limit(limit))).all()


def _report(line: AuditRecord) -> Report:
    details = line.details
    return Report(
        id=line.subject,
        filename=details["filename"],
        by=line.actor,
        at=line.at,
        good=details["good"],
        bad=details["bad"],
        flagged=details["flagged"],
        problems=tuple(_problems(details["problems"])),
    )


def _problems(kept: Iterable[list[object]]) -> Iterable[Problem]:
    for line, column, reason, mend in kept:
        yield Problem(int(str(line)), None if column is None else str(column), str(reason), str(mend))
