"""What was wrong with a payload typed by hand, in words for whoever typed it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError


class NotUnderstood(ValueError):
    """A payload that does not fit the message; the text says where, what and which fields there are."""


def not_understood(kind: type[BaseModel], wrong: ValidationError) -> NotUnderstood:
    """Turn pydantic's account into one sentence; values are not repeated, for they may be private."""
    problems = "; ".join(_problem(error) for error in wrong.errors(include_input=False, include_url=False))
    fields = ", ".join(
        name + (" (required)" if f.is_required() else "") for name, f in kind.model_fields.items()
    )
    return NotUnderstood(f"{problems}. Give one JSON object with the fields: {fields}")


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the payload"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such field"
    if error["type"] in ("model_type", "model_attributes_type"):
        return f"{where}: must be a JSON object"
    return f"{where}: {error['msg'][:1].lower()}{error['msg'][1:]}"
