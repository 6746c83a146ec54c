"""The portal's root: builds what it depends on and serves until SIGTERM.

    python -m portal

It comes up although Temporal is down, and says so in /readyz. Exit codes: 0 stopped; 2 settings are wrong; 3 the
database or Temporal's address cannot be used.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from functools import partial

import httpx
import uvicorn

import config
import connection
import health
import logs
from config import Settings
from db.session import engine_for, sessions_for
from domain.catalogue import CatalogueError
from portal.app import application
from portal.composition import codec_door_of, means_of
from portal.observation import Observed, RequestMetrics
from portal.webhooks import PaymentWebhooks
from telemetry.switch import traced


async def serve(settings: Settings) -> None:
    """Serve until told to stop."""
    async with AsyncExitStack() as stack:
        engine = engine_for(settings.database_url)
        stack.push_async_callback(engine.dispose)
        traces = stack.enter_context(traced(settings.otlp_endpoint, "portal", settings.build_id))
        client = await connection.connect(settings.payload_keys(), [traces] if traces else [], lazy=True)
        http = await stack.enter_async_context(httpx.AsyncClient())
        provider = settings.payment_provider(http)
        sessions = sessions_for(engine)
        webhooks = PaymentWebhooks(
            sessions, client, provider, settings.stripe_webhook_secret.get_secret_value()
        )
        means = means_of(settings, sessions, client, provider, http)
        codec = codec_door_of(settings, means)
        check = partial(health.what_is_wrong, engine, client)
        app = application(means, webhooks, codec, check, settings.build_id)
        if traces:
            traces.of_calls(http)
            traces.of_requests(app)
        metrics = RequestMetrics()
        if settings.portal_metrics_port:
            metrics.serve(settings.health_host, settings.portal_metrics_port)
        served = uvicorn.Config(
            Observed(app, metrics),
            host=settings.portal_host,
            port=settings.portal_port,
            log_config=None,
            access_log=False,
        )
        await uvicorn.Server(served).serve()


def main() -> int:
    """Run the portal; the exit code."""
    try:
        settings = config.settings()
        logs.configure(settings.log_level, settings.log_format)
        asyncio.run(serve(settings))
    except config.BadSettings as wrong:
        sys.stderr.write(f"portal: {wrong}\n")
        return 2
    except CatalogueError as wrong:
        sys.stderr.write(f"portal: EVERGREEN_CATALOGUE cannot be used: {wrong}\n")
        return 2
    except connection.TemporalUnreachable as wrong:
        sys.stderr.write(f"portal: {wrong}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
