"""The API's application, mounted by the portal under /api/v1."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware import Middleware

from portal.api import (
    credits,
    imports,
    invoices,
    orders,
    problems,
    purchases,
    reference,
    requests,
    subscriptions,
    updates,
)
from portal.api.door import Door
from portal.means import Means
from portal.pages.mishaps import Mishaps


def api(means: Means) -> FastAPI:
    """All of the API, on the portal's means."""
    app = FastAPI(
        title=reference.TITLE,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Mishaps), Middleware(Door, means=means)],
    )
    app.state.means = means
    problems.install(app)
    for each in (imports, purchases, subscriptions, orders, credits, invoices, requests, updates, reference):
        app.include_router(each.router)
    reference.describe(app)
    return app
