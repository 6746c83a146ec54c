"""What the API says of itself: OpenAPI 3.1 with every answer it gives, and a page to read it on, from our own host."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from db.api_tokens import SCOPES
from portal.api.imports import Rows
from portal.api.problems import KINDS, MEDIA_TYPE, ProblemBody
from portal.pages import assets
from portal.pages.rendering import TEMPLATES

TITLE: Final = "Evergreen"
ABOUT: Final = (
    "The billing system's door to Evergreen: imports, purchases, subscriptions, add-ons, credits, invoices, requests"
    " and the queue of license updates. Every write takes an `Idempotency-Key`; every error is problem+json."
)
READS: Final = ("400", "401", "403", "404", "422", "429", "500", "503")
WRITES: Final = ("400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503")
REPLAYED: Final = {
    "Idempotency-Replayed": {
        "description": "`true`: this is the answer of an earlier request with this key.",
        "schema": {"type": "string"},
    }
}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The reference, to be read by people: no script, nothing from elsewhere."""
    schema = request.app.openapi()
    text = _environment.get_template("api_reference.html").render(schema=schema, kinds=KINDS, scopes=SCOPES)
    return HTMLResponse(text)


def describe(app: FastAPI) -> None:
    """Have the application's OpenAPI say what it really answers."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(
                    title=TITLE,
                    version="1",
                    description=ABOUT,
                    routes=app.routes,
                    servers=[{"url": "/api/v1"}],
                )
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _complete(schema: dict[str, Any]) -> dict[str, Any]:
    schemas = schema["components"]["schemas"]
    schemas["Problem"] = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["Problem"].pop("$defs")
    schemas["Rows"] = Rows.model_json_schema()  # its body is read by hand, as it may be a file instead
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in schema["paths"].values():
        for method, operation in path.items():
            for status in WRITES if method == "post" else READS:
                titles = [kind.title for kind in KINDS.values() if str(kind.status) == status]
                operation["responses"][status] = {"description": "; ".join(titles), "content": problem}
            if method == "post":
                for status, answer in operation["responses"].items():
                    if status < "300":
                        answer["headers"] = REPLAYED
    return schema


_environment: Final = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["asset"] = assets.address
