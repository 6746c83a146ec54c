"""The portal's root: builds what it depends on and serves until SIGTERM.

    python -m portal

It comes up although Temporal is down, and says so in /readyz. Exit codes: 0 stopped; 2 settings are wrong; 3 the
database or Temporal's address cannot be used.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack

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
from portal.composition import means_of
from portal.webhooks import PaymentWebhooks


async def serve(settings: Settings) -> None:
    """Serve until told to stop."""
    async with AsyncExitStack() as stack:
        engine = engine_for(settings.database_url)
        stack.push_async_callback(engine.dispose)
        client = await connection.connect(lazy=True)
        http = await stack.enter_async_context(httpx.AsyncClient())
        provider = settings.payment_provider(http)
        sessions = sessions_for(engine)
        webhooks = PaymentWebhooks(
            sessions, client, provider, settings.stripe_webhook_secret.get_secret_value()
        )
        means = means_of(settings, sessions, client, provider, http)
        app = application(means, webhooks, lambda: health.what_is_wrong(engine, client), settings.build_id)
        served = uvicorn.Config(
            app, host=settings.portal_host, port=settings.portal_port, log_config=None, access_log=False
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
