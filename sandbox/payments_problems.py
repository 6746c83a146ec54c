"""The sandbox provider's no, in Stripe's shape: type, code, message, status."""

from __future__ import annotations

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from sandbox.payments_shapes import Shape


class Problem(Exception):
    """Something the provider will not, or cannot, do. One that `counts` has had its effect, as a decline has."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_seconds: int | None = None,
        objects: Shape | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.counts = status == 402
        self.headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
        told = {"type": kind, "code": code, "message": message, "param": param, **(objects or {})}
        self.error: Shape = {name: value for name, value in told.items() if value is not None}

    def body(self) -> Shape:
        """As it is answered."""
        return {"error": self.error}


def invalid(message: str, code: str | None = None, param: str | None = None) -> Problem:
    """A request that cannot be carried out as it is."""
    return Problem(400, "invalid_request_error", message, code=code, param=param)


def unexpected(what: str, intent: Shape) -> Problem:
    """A charge that is not in the state for this."""
    message = f"You cannot {what} this PaymentIntent because it has a status of {intent['status']}."
    code, objects = "payment_intent_unexpected_state", {"payment_intent": intent}
    return Problem(400, "invalid_request_error", message, code=code, objects=objects)


def declined(failure: dict[str, str], objects: Shape) -> Problem:
    """The bank's no: it has had its effect."""
    fields = failure | objects
    message, code = fields.pop("message"), fields.pop("code")
    return Problem(402, "card_error", message, code=code, objects=fields)


def missing(kind: str, reference: str, param: str) -> Problem:
    """There is no such object."""
    message = f"No such {kind.replace('payment_method', 'PaymentMethod')}: '{reference}'"
    return Problem(404, "invalid_request_error", message, code="resource_missing", param=param)


async def answer_problem(_request: Request, problem: Exception) -> Response:
    """The problem as JSON."""
    assert isinstance(problem, Problem)  # noqa: S101 — the only type this is registered for
    return JSONResponse(problem.body(), problem.status, problem.headers)


async def answer_malformed(_request: Request, malformed: Exception) -> Response:
    """What a control cannot read: which fields, and nothing of what was in them."""
    assert isinstance(malformed, RequestValidationError)  # noqa: S101 — as above
    places = ", ".join(sorted({".".join(map(str, error["loc"])) for error in malformed.errors()}))
    return JSONResponse(invalid(f"not as agreed: {places}").body(), 400)
