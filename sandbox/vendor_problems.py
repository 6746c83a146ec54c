"""The sandbox vendor's no: one exception, its codes (see `docs/vendor-api.md`), and how it is answered."""

from datetime import date

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

STATUS_OF_CODE = {
    "invalid_request": 400,
    "unauthorized": 401,
    "unknown_key": 404,
    "expiry_differs": 409,
    "idempotency_conflict": 409,
    "revoked_key": 410,
    "not_possible": 422,
    "rate_limited": 429,
    "failed": 500,
    "down": 503,
}


class Problem(Exception):
    """Something the vendor will not, or cannot, do. The detail never quotes a license key."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        retry_after_seconds: int | None = None,
        current_expires_on: date | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.current_expires_on = current_expires_on


async def answer_problem(_request: Request, problem: Exception) -> Response:
    """A problem document for a `Problem`, or for a request that does not read, of which it quotes nothing."""
    if isinstance(problem, RequestValidationError):
        places = ", ".join(sorted({".".join(map(str, error["loc"])) for error in problem.errors()}))
        problem = Problem("invalid_request", f"not as agreed: {places}")
    assert isinstance(problem, Problem)  # noqa: S101 — the only other type this is registered for
    status = STATUS_OF_CODE[problem.code]
    content = {"status": status, "code": problem.code, "title": problem.code, "detail": problem.detail}
    if problem.current_expires_on is not None:
        content["current_expires_on"] = problem.current_expires_on.isoformat()
    headers = {}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    return JSONResponse(content, status, headers, media_type="application/problem+json")
