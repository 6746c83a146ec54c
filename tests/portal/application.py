"""The portal's application in this process, for what a running program cannot show: its routes, another clock."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import FastAPI

import health
from portal.app import application
from portal.composition import codec_door_of, means_of
from portal.webhooks import PaymentWebhooks
from tests.money.world import World


def portal_application(world: World, webhook_secret: str = "", **changes: Any) -> FastAPI:
    """The application on the world's servers; `changes` are to its means."""
    means = replace(
        means_of(world.settings, world.sessions, world.client, world.provider, world.http), **changes
    )
    webhooks = PaymentWebhooks(
        world.sessions, world.client, world.provider, webhook_secret or world.webhook_secret
    )
    codec = codec_door_of(world.settings, means)
    check = partial(health.what_is_wrong, world.engine, world.client)
    return application(means, webhooks, codec, check, "test")
