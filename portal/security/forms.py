"""A form that was sent from one of our own pages: it carries the browser's token, or is refused.

async def cancel(form: Form, visitor: Customer, …) -> Response:
    reason = form.text("reason", longest=500)
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from portal.security.visits import Visiting

TOKEN = "form_token"  # noqa: S105 — the name of a field
REQUEST_ID = "request_id"
STALE = (
    "This form is from before you signed in or out, so it was not taken. Go back, load the page again and repeat it:"
    " nothing has been changed."
)


@dataclass(frozen=True)
class Sent:
    """The fields of a form whose token is right."""

    fields: FormData

    def text(self, name: str, longest: int = 500) -> str:
        """One field without spaces around it, cut to what is taken; empty if it is not there."""
        value = self.fields.get(name)
        return value.strip()[:longest] if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a field that may be there several times."""
        return tuple(value for value in self.fields.getlist(name) if isinstance(value, str))

    def file(self, name: str) -> UploadFile | None:
        """A file that was sent along."""
        value = self.fields.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    @property
    def request_id(self) -> str:
        """The same form sent twice has the same: it counts once (R10). Raises 403 when somebody left it out."""
        found = self.text(REQUEST_ID, longest=64)
        if not found:
            raise HTTPException(403, STALE)
        return found


async def _sent(request: Request, visit: Visiting) -> AsyncIterator[Sent]:
    async with request.form(max_files=1, max_fields=200) as fields:
        token = fields.get(TOKEN)
        if not isinstance(token, str) or not hmac.compare_digest(token, visit.form_token):
            raise HTTPException(403, STALE)
        yield Sent(fields)  # files stay open while the page is made


Form = Annotated[Sent, Depends(_sent)]
"""The form, checked. Every page that changes something has one as its parameter (a test walks them all)."""
