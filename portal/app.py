"""The portal's application: its pages and doors, on what they depend on."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

import health
from health import Check
from papers.page import STATIC as papers
from portal.api.application import api
from portal.codec import CodecDoor
from portal.customer.routes import router as customer_pages
from portal.means import Means
from portal.pages import assets, mishaps
from portal.readiness import Readiness
from portal.security.bodies import Bodies
from portal.security.headers import Headers
from portal.security.origin import SameOrigin
from portal.sign_in import account, asking, entering, oidc
from portal.staff.routes import router as staff_pages
from portal.webhooks import PaymentWebhooks

PROGRAMS = ("/webhooks/", "/api/", "/codec/")
"""Here programs come with a credential of their own, no cookie: no page of ours leads there."""

LARGER_BODIES = {
    "/webhooks/": 512 * 1024,
    "/codec/": 8 * 2**20,
    "/api/": 32 * 2**20,
    "/staff/imports": 32 * 2**20,
}


def application(
    means: Means, webhooks: PaymentWebhooks, codec: CodecDoor, check: Check, build_id: str
) -> FastAPI:
    """Everything that is served; `check` tells which of the servers behind it do not answer."""
    app = FastAPI(
        title="Evergreen",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Headers, secure=means.secure, card_page_origins=means.card_page_origins),
            Middleware(mishaps.Mishaps),
            Middleware(Bodies, larger=LARGER_BODIES),
            Middleware(SameOrigin, programs=PROGRAMS),
        ],
    )
    app.state.means = means
    mishaps.install(app)
    for router in (account.router, asking.router, entering.router, oidc.router, customer_pages, staff_pages):
        app.include_router(router)
    app.include_router(webhooks.router())
    app.mount("/codec", codec.application())
    app.mount("/api/v1", api(means))
    app.mount("/papers", StaticFiles(directory=papers))
    app.mount("/static", StaticFiles(directory=assets.STATIC))
    readiness = Readiness(check)
    app.router.routes.extend(health.pages(readiness.check, build_id, readiness.warnings).routes)
    return app
