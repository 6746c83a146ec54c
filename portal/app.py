"""The portal's application: its pages and doors, on what they depend on."""

from __future__ import annotations

from fastapi import FastAPI

import health
from health import Check
from portal.codec import CodecDoor
from portal.webhooks import PaymentWebhooks


def application(webhooks: PaymentWebhooks, codec: CodecDoor, check: Check, build_id: str) -> FastAPI:
    """Everything that is served; `check` tells which of the servers behind it do not answer."""
    app = FastAPI(title="Evergreen", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(webhooks.router())
    app.mount("/codec", codec.application())
    app.router.routes.extend(health.pages(check, build_id).routes)
    return app
