"""A web application that asks as the portal does, traced, measured and logged as the portal is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from temporalio.client import Client

import connection
import starter
from domain.messages import AddAddons
from portal.observation import Observed, RequestMetrics
from telemetry.traces import Traces, exported
from tests.observability.world import World


@asynccontextmanager
async def door(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """`POST /subscriptions/{subscription_id}/addons` orders one."""
    with exported(world.sink.url, "door", "observed") as traces:
        assert isinstance(traces, Traces)
        client = await Client.connect(
            world.stack.addresses.temporal_address,
            data_converter=connection.converter(world.settings.payload_keys()),
            interceptors=[traces],
        )
        app = FastAPI()

        @app.post("/subscriptions/{subscription_id}/addons")
        async def order(subscription_id: str) -> str:
            request = AddAddons(addons=("Message Sniffer",), by="customer")
            taken = await starter.add_addons(client, subscription_id, request)
            return taken.answer.outcome if taken.answer else "left"

        traces.of_requests(app)
        transport = httpx.ASGITransport(Observed(app, RequestMetrics()))
        async with httpx.AsyncClient(transport=transport, base_url="http://door.example", timeout=30) as http:
            yield http
