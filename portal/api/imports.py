"""Imports of licenses (R26): a file or rows, the whole of it checked first, then taken; and how far each has come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from db import api_pages, intakes
from db.models.intake import Intake
from domain import intake
from domain.intake_problem import Problem as RowProblem
from domain.intake_problem import UnreadableFile
from domain.intake_row import Row
from portal.api.door import Reader
from portal.api.paging import Cursor, Limit, Page, after, cursor_of
from portal.api.problems import Fault, invalid, not_found, of_row
from portal.api.subscriptions import answer_of
from portal.api.wording import Id, Sent
from portal.api.writes import Answer, Writing, writes
from portal.means import Means, Reading
from reception import licenses

MOST_ROWS: Final = 10_000
"""As JSON; a file may have a million lines."""

FORMATS: Final[dict[str, intake.FileFormat]] = {"text/csv": "csv", "application/x-ndjson": "jsonl"}
EXAMPLE: Final = {
    "customer_email": "jo@example.com",
    "customer_name": "Jo Pine",
    "country": "GB",
    "currency": "GBP",
    "license_key": "SM-EXAMPLE-0000-7K2P",
    "product": "SmarterMail",
    "edition": "Professional",
    "size": "250",
    "addons": ["Message Sniffer"],
    "expires_on": "2027-08-31",
}

router = APIRouter(tags=["imports"])

Writes = Annotated[Writing, writes("imports:write")]


class Rows(Sent):
    """The rows of an import, each as a line of a JSON lines file."""

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_ROWS, examples=[[EXAMPLE]])


class Flagged(BaseModel):
    """A row whose cancel-by date has passed: taken, but the coming renewal cannot be stopped any more."""

    line: int
    expires_on: date


class ImportReport(BaseModel):
    """What became of an import."""

    id: str | None = Field(description="to follow it; null: only checked")
    good: int = Field(description="rows that are good")
    taken: int = Field(description="licenses that were new")
    unchanged: int = Field(description="licenses that were here already, and were left as they are")
    flagged: list[Flagged]
    refused: list[Fault]


class Import(BaseModel):
    """An import and how far it has come."""

    id: str = Field(examples=["imp_01kb2v3x5y7z9a1c3e5g7j9m1p"])
    filename: str
    requested_by: str
    state: Literal["storing", "starting", "done"]
    rows: int
    taken: int
    unchanged: int
    flagged: int
    started: int | None = Field(None, description="workflows that run, of those taken; in a list: null")
    at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Intake, started: int | None = None) -> Self:
        """As it is stored."""
        return cls.model_validate(
            {
                "id": row.id,
                "filename": row.filename,
                "requested_by": row.requested_by,
                "state": row.state,
                "rows": row.rows,
                "taken": row.taken,
                "unchanged": row.unchanged,
                "flagged": row.flagged,
                "started": started,
                "at": row.at,
                "finished_at": row.finished_at,
            }
        )


@dataclass
class Checked:
    """A body that was checked to its end."""

    rows: list[Row] = field(default_factory=list, repr=False)
    problems: list[RowProblem] = field(default_factory=list)


BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Rows"},
                "example": {"rows": [EXAMPLE]},
            },
            "text/csv": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


@router.post(
    "/imports",
    response_model=ImportReport,
    status_code=202,
    responses={200: {"model": ImportReport, "description": "Only checked; nothing was taken."}},
    openapi_extra=BODY,
)
async def receive(
    request: Request,
    write: Writes,
    check: Annotated[bool, Query(description="only check, take nothing")] = False,
    skip_bad: Annotated[bool, Query(description="take the good rows although others are bad")] = False,
    filename: Annotated[str, Query(max_length=200, description="what it is called in lists")] = "API",
) -> Response:
    """Import licenses: a CSV file, a file of JSON lines, or rows as JSON.

    The whole is checked first; 422 names every bad row with line, column, reason and mend, and nothing is taken unless
    `skip_bad`. 202: the rows are stored, and their workflows are started by a durable one; follow `Location`. Importing
    again changes nothing: rows are matched by license key.
    """
    body = await request.body()
    sent = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    means = write.means

    async def do() -> Answer:
        checked = await asyncio.to_thread(_checked, means, sent, body)
        if checked.problems and not (skip_bad or check):
            raise invalid(of_row(problem) for problem in checked.problems)
        report = _report(checked)
        if check:
            return Answer(report, 200)
        at = means.now()
        name = filename.strip() or "API"
        storing = licenses.storing(name, sha256(body).digest(), write.by, at, means.key_ring, means.policy)
        counts = await answer_of(licenses.take(means.sessions, means.temporal, storing, checked.rows))
        report = report.model_copy(
            update={"id": storing.intake_id, "taken": counts.taken, "unchanged": counts.unchanged}
        )
        return Answer(report, 202, f"/api/v1/imports/{storing.intake_id}")

    return await write.once(do)


@router.get("/imports")
async def list_imports(
    _caller: Reader, reading: Reading, limit: Limit = 50, cursor: Cursor = None
) -> Page[Import]:
    """Imports, oldest first; from a file or by the API."""
    (last,) = after(cursor) or [""]
    found = await api_pages.imports(reading, last, limit + 1)
    page = [Import.of(row) for row in found[:limit]]
    return Page(data=page, next_cursor=cursor_of(found, limit, page[-1].id if page else ""))


@router.get("/imports/{import_id}")
async def show(import_id: Id, _caller: Reader, reading: Reading) -> Import:
    """One import, and how many of its workflows run."""
    row = await reading.get(Intake, import_id)
    if row is None:
        raise not_found(f"There is no import {import_id!r}.")
    started, _total = await intakes.progress(reading, import_id)
    return Import.of(row, started)


def lines_of(body: bytes) -> bytes:
    """A body of `Rows` as JSON lines. Raises Problem."""
    try:
        rows = Rows.model_validate_json(body).rows
    except ValidationError as wrong:
        raise invalid(
            Fault(at=".".join(map(str, ("body", *one["loc"]))), reason=one["msg"]) for one in wrong.errors()
        ) from None
    return "\n".join(json.dumps(row) for row in rows).encode()


def written(sent: str, body: bytes) -> tuple[intake.FileFormat, bytes]:
    """The format of a body and its lines. Raises Problem."""
    return (FORMATS[sent], body) if sent in FORMATS else ("jsonl", lines_of(body))


def _checked(means: Means, sent: str, body: bytes) -> Checked:
    """Check all of it (R26). Raises Problem. Takes a second for a hundred thousand rows: not on the event loop."""
    written_as, lines = written(sent, body)
    check: Callable[..., Any] = {"csv": intake.check_csv, "jsonl": intake.check_json_lines}[written_as]
    found = Checked()
    try:
        for each in check([lines], means.catalogue, means.today(), means.policy.notice_days):
            (found.problems if isinstance(each, RowProblem) else found.rows).append(each)
    except UnreadableFile as wrong:
        place = f"line {wrong.line}" if wrong.line is not None else "body"
        raise invalid([Fault(at=place, reason=wrong.what, mend=wrong.mend, line=wrong.line)]) from wrong
    return found


def _report(checked: Checked) -> ImportReport:
    return ImportReport(
        id=None,
        good=len(checked.rows),
        taken=0,
        unchanged=0,
        flagged=[
            Flagged(line=row.line, expires_on=row.expires_on) for row in checked.rows if row.window_closed
        ],
        refused=[of_row(problem) for problem in checked.problems],
    )
