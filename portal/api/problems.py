"""Every error as problem+json (RFC 9457): what kind, where, what and how to mend it; never a secret, never an echo.

Problem(kind, detail)     raised by whatever answers
of_status(404)            for what never came so far
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.intake_problem import Problem as RowProblem

MEDIA_TYPE: Final = "application/problem+json"
DOCS: Final = "/api/v1/docs"
MOST_ERRORS: Final = 1000


@dataclass(frozen=True)
class Kind:
    """One kind of problem; its name ends its `type`."""

    status: int
    title: str
    advice: str


KINDS: Final[dict[str, Kind]] = {
    "bad-request": Kind(400, "The request cannot be read", "Mend what `detail` names."),
    "key-missing": Kind(
        400,
        "No Idempotency-Key",
        "Send an `Idempotency-Key` with every write: up to 200 characters, a new one for each new wish, the same one"
        " when you try again.",
    ),
    "unauthorized": Kind(
        401,
        "No token that holds",
        "Send `Authorization: Bearer evg_…` with a token that is neither expired nor revoked.",
    ),
    "out-of-scope": Kind(
        403, "The token may not do this", "Use a token that has the scope which `detail` names."
    ),
    "not-found": Kind(404, "There is nothing here", "Check the address and the id in it."),
    "method-not-allowed": Kind(405, "Not with this method", "Use a method that `Allow` lists."),
    "refused": Kind(
        409,
        "Refused by a rule",
        "Read `detail`: it says which rule, and what can be done. Nothing was changed.",
    ),
    "under-way": Kind(
        409,
        "The same request is being done",
        "Wait for `Retry-After` seconds, then send the same request with the same key.",
    ),
    "too-large": Kind(413, "Too much at once", "Send less: split an import into several."),
    "unsupported-media-type": Kind(
        415, "Not in this format", "Send one of the content types that the reference lists."
    ),
    "invalid": Kind(422, "Something that was sent is wrong", "`errors` says where, what and how to mend it."),
    "key-used-otherwise": Kind(
        422,
        "The Idempotency-Key stands for another request",
        "Use a new key for a new request.",
    ),
    "too-often": Kind(429, "Too many requests", "Wait for `Retry-After` seconds."),
    "mistake": Kind(
        500, "A mistake of ours", "It is written down. Send the same request with the same key again."
    ),
    "not-taken": Kind(
        503,
        "Not taken",
        "Nothing was changed. Send the same request with the same key again after `Retry-After` seconds.",
    ),
    "unavailable": Kind(
        503,
        "A server of ours does not answer",
        "Send the same request with the same key again after `Retry-After` seconds: it counts once.",
    ),
}

_BY_STATUS: Final = {
    400: "bad-request",
    401: "unauthorized",
    403: "out-of-scope",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-often",
    503: "unavailable",
}

SOON: Final = {"Retry-After": "10"}


class Fault(BaseModel):
    """One thing that is wrong with what was sent."""

    at: str = Field(description="where: a field of the body, a parameter, or line and column of an import")
    reason: str = Field(description="what is wrong")
    mend: str = Field("", description="how to mend it")
    line: int | None = Field(
        None, description="of an import: the line, or the number of the row; 1 is the first"
    )
    column: str | None = Field(None, description="of an import: the column")


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="which kind; a link into the reference", examples=[f"{DOCS}#refused"])
    title: str = Field(description="the kind in words", examples=["Refused by a rule"])
    status: int = Field(description="as the status of the answer", examples=[409])
    detail: str = Field(description="what it was this time, and how to mend it")
    errors: list[Fault] = Field([], description="each single thing that is wrong, where there are several")


@dataclass(eq=False)
class Problem(Exception):
    """An answer that is an error; `extra` are members of its own."""

    kind: str
    detail: str
    errors: list[Fault] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return KINDS[self.kind].status

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        body = ProblemBody(
            type=f"{DOCS}#{self.kind}",
            title=KINDS[self.kind].title,
            status=self.status,
            detail=self.detail,
            errors=self.errors,
        )
        return {**body.model_dump(mode="json", exclude_none=True), **self.extra}

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body(), self.status, dict(self.headers), MEDIA_TYPE)


def refused(detail: str, **extra: Any) -> Problem:
    """A rule says no."""
    return Problem("refused", detail, extra=extra)


def not_found(detail: str) -> Problem:
    """What is asked for is not here."""
    return Problem("not-found", detail)


def invalid(faults: Iterable[Fault]) -> Problem:
    """What was sent is wrong."""
    errors = list(faults)
    more = f" The first {MOST_ERRORS} are listed." if len(errors) > MOST_ERRORS else ""
    count = "One thing is" if len(errors) == 1 else f"{len(errors)} things are"
    return Problem("invalid", f"{count} wrong; nothing was changed.{more}", errors[:MOST_ERRORS])


def of_row(problem: RowProblem) -> Fault:
    """A fault of one row of an import (R26)."""
    place = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
    return Fault(at=place, reason=problem.reason, mend=problem.mend, line=problem.line, column=problem.column)


def of_field(problem: RowProblem) -> Fault:
    """The same of a body that is one row."""
    return Fault(
        at=f"body.{problem.column}" if problem.column else "body", reason=problem.reason, mend=problem.mend
    )


def of_status(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """The problem of a status, where nothing more is known."""
    kind = _BY_STATUS.get(status, "mistake" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad-request")
    said = detail if detail and detail != HTTPStatus(status).phrase else KINDS[kind].advice
    return Problem(kind, said, headers=dict(headers or {})).response()


def install(app: FastAPI) -> None:
    """Have the application answer with problems."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _wrong)


async def _problem(_request: Request, failed: Exception) -> Response:
    assert isinstance(failed, Problem)  # noqa: S101 — what it is installed for
    return failed.response()


async def _http(_request: Request, failed: Exception) -> Response:
    assert isinstance(failed, HTTPException)  # noqa: S101 — what it is installed for
    return of_status(failed.status_code, failed.detail, failed.headers)


async def _wrong(_request: Request, failed: Exception) -> Response:
    assert isinstance(failed, RequestValidationError)  # noqa: S101 — what it is installed for
    return invalid(Fault(at=_place(one["loc"]), reason=one["msg"]) for one in failed.errors()).response()


def _place(where: Iterable[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
