"""Imports (R26): a file is sent, checked whole, taken if staff say so; then its progress, and what it refused."""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from fastapi import APIRouter, Request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response
from temporalio.exceptions import WorkflowAlreadyStartedError

import starter
from db import import_reports, intakes
from db.identifiers import new_id
from db.import_reports import Report
from db.models.intake import Intake
from domain.intake_problem import UnreadableFile
from portal.asking import NotTaken, ask
from portal.means import Given, Means, Reading
from portal.pages.confirm import new_request_id
from portal.pages.rendering import page, seen_next
from portal.security import limits
from portal.security.forms import Form, Sent
from portal.security.visits import StaffVisit, Support
from reception import licenses
from reception.checked_file import CheckedFile

SHOWN = 100
"""So many bad rows are on the page; the file to download has them all."""
ID_LENGTH = 26
LONGEST_NAME = 200

router = APIRouter(prefix="/staff/imports")


@dataclass(frozen=True)
class ImportsPage:
    """The model of `staff/imports.html`."""

    intakes: tuple[Intake, ...]
    mistake: str
    reason: str
    request_id: str = field(default_factory=new_request_id)


@dataclass(frozen=True)
class ImportPage:
    """The model of `staff/import.html`: of an import that runs, is done, or of a check that took nothing."""

    path: str
    filename: str
    by: str
    at: datetime
    report: Report | None
    shown: int
    intake: Intake | None
    started: int
    total: int

    @property
    def running(self) -> bool:
        """Whether the page should look again by itself."""
        return self.intake is not None and self.intake.state != "done"

    @property
    def percent(self) -> int:
        """Of the workflows that run."""
        return 100 * self.started // self.total if self.total else 100


@router.get("")
async def listing(request: Request, staff: Support, reading: Reading) -> Response:
    """The form, and the newest imports."""
    return page(request, "staff/imports.html", await _list(reading))


@router.post("")
async def send(request: Request, staff: Support, form: Form, means: Given, reading: Reading) -> Response:
    """Check the whole file; take nothing while a row is bad, unless staff say that the good ones are taken."""
    reason, sent = form.text("reason"), form.file("file")
    if sent is None or not reason:
        mistake = "Choose a file." if sent is None else "Say why, or what it is."
        return page(request, "staff/imports.html", await _list(reading, mistake, form), status=422)
    await limits.hold(means, limits.CHANGE, staff.by)
    checked = _checked(means, sent)
    try:
        await asyncio.to_thread(checked.read_through)
    except UnreadableFile as wrong:
        model = await _list(reading, f"{wrong!s} Nothing was taken.", form)
        return page(request, "staff/imports.html", model, status=422)
    wanted = form.text("what")
    if wanted == "check" or (checked.problems and wanted != "skip_bad") or not checked.good:
        check_id = new_id("chk")
        async with means.sessions.begin() as session:
            await _keep(session, checked, check_id, staff, means, reason)
        return seen_next(f"/staff/imports/{check_id}")
    import_id = _import_id(form, checked)
    try:
        await _take(means, staff, checked, import_id, reason)
    except NotTaken:
        unchanged = "Temporal does not answer, so nothing was taken. Try again in a minute; it counts once."
        return page(request, "staff/imports.html", await _list(reading, unchanged, form), status=503)
    return seen_next(f"/staff/imports/{import_id}")


@router.get("/{import_id}")
async def one(request: Request, import_id: str, staff: Support, reading: Reading) -> Response:
    """How far it is, and what was refused; without scripts the page is loaded again every few seconds."""
    return page(request, "staff/import.html", await _model(reading, import_id))


@router.get("/{import_id}/state")
async def state(request: Request, import_id: str, staff: Support, reading: Reading) -> Response:
    """The part that changes, for a page that looks by itself."""
    return page(request, "staff/import_state.html", await _model(reading, import_id))


@router.get("/{import_id}/refused.csv")
async def refused(import_id: str, staff: Support, reading: Reading) -> Response:
    """The rows that were refused, to be mended: line, column, why, and how; never a license key (R28)."""
    report = await import_reports.one(reading, import_id)
    if report is None:
        raise HTTPException(404)
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("line", "column", "reason", "mend"))
    rows.writerows((each.line, each.column or "", each.reason, each.mend) for each in report.problems)
    headers = {"Content-Disposition": f'attachment; filename="refused-{report.id}.csv"'}
    return Response(written.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _checked(means: Means, sent: UploadFile) -> CheckedFile:
    filename = (sent.filename or "")[-LONGEST_NAME:]
    return CheckedFile(filename, sent.file, means.catalogue, means.today(), means.policy.notice_days)


def _import_id(form: Sent, checked: CheckedFile) -> str:
    """The same for the same file in the same form, however often it is sent: it counts once."""
    return f"imp_{sha256(form.request_id.encode() + checked.digest).hexdigest()[:ID_LENGTH]}"


async def _take(means: Means, staff: StaffVisit, checked: CheckedFile, import_id: str, reason: str) -> None:
    """Store the good rows, all or none; their workflows start without us. Of two at once the second waits and sees."""
    with suppress(WorkflowAlreadyStartedError):
        await ask(starter.start_intake(means.temporal, import_id))
    made = licenses.storing(
        checked.filename, checked.digest, staff.by, means.now(), means.key_ring, means.policy
    )
    storing = replace(made, intake_id=import_id)
    try:
        async with means.sessions.begin() as session:
            await intakes.store(session, storing, checked.rows())
            await _keep(session, checked, import_id, staff, means, reason)
    except IntegrityError:
        async with means.sessions() as session:
            if await session.get(Intake, import_id) is None:
                raise  # it was not the other one of two


async def _keep(
    session: AsyncSession, checked: CheckedFile, report_id: str, staff: StaffVisit, means: Means, reason: str
) -> None:
    await import_reports.keep(
        session,
        report_id,
        checked.filename,
        staff.by,
        means.now(),
        checked.good,
        checked.flagged,
        checked.problems,
        reason,
    )


async def _list(reading: Reading, mistake: str = "", form: Sent | None = None) -> ImportsPage:
    found = await import_reports.intakes(reading)
    reason = form.text("reason") if form else ""
    return ImportsPage(tuple(found), mistake, reason, form.request_id if form else new_request_id())


async def _model(reading: Reading, import_id: str) -> ImportPage:
    report = await import_reports.one(reading, import_id)
    intake = await reading.get(Intake, import_id)
    if intake is not None:
        filename, by, at = intake.filename, intake.requested_by, intake.at
    elif report is not None:
        filename, by, at = report.filename, report.by, report.at
    else:
        raise HTTPException(404)
    started, total = await intakes.progress(reading, import_id)
    path = f"/staff/imports/{import_id}"
    return ImportPage(path, filename, by, at, report, SHOWN, intake, started, total)
