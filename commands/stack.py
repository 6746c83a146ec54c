"""The embedded stack, kept up until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

import connection
from commands import running
from commands.entrance import show_entrances
from commands.running import Unreachable
from commands.screen import AsJson, console, document
from db import schema
from db.session import engine_for
from sandbox import ports
from sandbox.environment import environment, kept_secrets
from sandbox.holder import Addresses, FolderInUse
from sandbox.ports import LOOPBACK
from sandbox.program import ProgramFailed
from sandbox.stack import PORTAL, WORKER, RunningStack, Stack


@asynccontextmanager
async def stack_up(
    folder: Path, time_skipping: bool = False, fast: bool = False
) -> AsyncIterator[RunningStack]:
    """The whole stack with the database migrated and a worker. Raises Unreachable."""
    try:
        portal = replace(PORTAL, usual_port=ports.choose({"port": PORTAL.usual_port})["port"])
        stack = Stack(
            folder,
            search_attributes=connection.search_attribute_types(),
            time_skipping=time_skipping,
            fast=fast,
            ui_codec=lambda held: _codec_address(held, portal.usual_port),
        )
        async with stack.up() as running_stack:
            await migrate(running_stack.addresses.database_url)
            # The worker's letters name the portal's address, and both start at once: its port is chosen before.
            portal_url = f"http://{LOOPBACK}:{portal.usual_port}"
            variables = environment(folder.resolve(), running_stack.addresses) | {
                "EVERGREEN_PORTAL_URL": portal_url
            }
            await running_stack.run(WORKER, portal, env=variables)
            await _tell_payments(running_stack.addresses, variables["EVERGREEN_STRIPE_WEBHOOK_SECRET"])
            yield running_stack
    except (FolderInUse, ProgramFailed) as failed:
        raise Unreachable(str(failed)) from failed


def _codec_address(folder: Path, port: int) -> str:
    """Where the portal opens payloads for a UI that sends no credentials (docs/decisions/0015)."""
    return f"http://{LOOPBACK}:{port}/codec/{kept_secrets(folder)['EVERGREEN_CODEC_UI_SECRET']}"


async def _tell_payments(addresses: Addresses, secret: str) -> None:
    """Tell the payment provider where its events go, as one does once on Stripe's own page."""
    webhook = {"url": f"{addresses.urls['portal']}/webhooks/payments", "secret": secret}
    async with httpx.AsyncClient(base_url=addresses.urls["payments"], trust_env=False) as payments:
        (await payments.put("/sandbox/webhook", json=webhook)).raise_for_status()


async def migrate(database_url: str) -> None:
    """Bring the tables to what this version needs."""
    engine = engine_for(database_url)
    try:
        await schema.upgrade(engine)
    finally:
        await engine.dispose()


def up(as_json: AsJson = False) -> None:
    """Start PostgreSQL, Temporal with its UI, the sandboxes, portal and worker; stay up until Ctrl-C.

    Example: evergreen up      and in another terminal: evergreen import examples/licenses.csv
    """

    async def command() -> None:
        console.quiet = as_json
        console.print("Starting PostgreSQL, Temporal, the sandboxes, portal and worker …")
        async with stack_up(running.FOLDER) as running_stack:
            addresses = running_stack.addresses
            if as_json:
                portal = addresses.urls["portal"]
                document(
                    {
                        "temporal_ui": addresses.temporal_ui_url,
                        "temporal": addresses.temporal_address,
                        "portal": portal,
                    }
                )
            console.print(f"[bold]Temporal UI[/]  {addresses.temporal_ui_url}")
            console.print(f"Temporal     {addresses.temporal_address}")
            await show_entrances(addresses)
            console.print(f"mails        {addresses.urls['mail']}")
            console.print(f"vendor       {addresses.urls['vendor']}")
            console.print(f"payments     {addresses.urls['payments']}")
            console.print(f"logs         {running.FOLDER / 'logs'}")
            console.print("Up. Ctrl-C stops everything; the data stays.")
            await running_stack.watch()

    try:
        running.run(command)
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped.")
