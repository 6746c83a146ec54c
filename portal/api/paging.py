"""A list, a page at a time: `limit`, and a cursor that says where the last page ended."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from portal.api.problems import Fault, Problem, invalid

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=200, description="so many at most")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next_cursor` of the page before; none for the first page")
]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    next_cursor: str | None = Field(None, description="for the next page; null: this was the last")


def after(cursor: str | None, parts: int = 1) -> list[str] | None:
    """Where the last page ended; None for the first page. Raises Problem for what we never gave."""
    if cursor is None:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError):
        raise _unknown() from None
    good = isinstance(place, list) and len(place) == parts
    if not good or not all(isinstance(part, str) and "\0" not in part for part in place):
        raise _unknown()
    return [str(part) for part in place]


def cursor_of(found: Sequence[object], limit: int, *place: str) -> str | None:
    """The cursor behind a page whose last item is at `place`; one more than `limit` was asked for."""
    if len(found) <= limit:
        return None
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _unknown() -> Problem:
    fault = Fault(
        at="query.cursor", reason="this is no cursor of ours", mend="Send `next_cursor` as it was given."
    )
    return invalid([fault])
