"""A worker under load is told to stop: what is under way is finished, the rest waits for the next one (R25)."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select
from temporalio.api.enums.v1 import EventType

from db.models.subscription import Subscription
from domain.messages import subscription_workflow_id
from sandbox import ports
from tests.commands.program import CommandLine as Program
from tests.commands.program import Running
from tests.deployment.histories import runs_of
from tests.end_to_end.dates import DAY, coming, local
from tests.end_to_end.world import OwnWorker
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.world import World

MANY = 100
UNDER_WAY = 10
"""So many renewals are done when the worker is told to stop; the others are somewhere on their way."""

FAILED = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "an activity failed",
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "an activity timed out",
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "an activity was cancelled",
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: "a workflow task failed",
}


async def test_a_worker_that_is_told_to_stop_under_load_fails_nothing_and_loses_nothing(
    book: Book, world: World, worker: OwnWorker, evergreen: Program, tmp_path: Path
):
    """A hundred renewals are due at once; the program ends with 0, and another does the rest."""
    expires_on = coming(8, 31)
    keys = await imported(world, evergreen, tmp_path, expires_on)
    ids = [subscription_workflow_id(row.id) for row in await rows(world)]
    assert len(ids) == MANY
    await worker.stop()
    first = await started(evergreen)
    due = asyncio.create_task(world.clocks.advance_all(ids, local(expires_on - 13 * DAY)))
    await eventually(lambda: renewed(world, UNDER_WAY, expires_on), f"{UNDER_WAY} renewals are done")
    told = await first.end()
    done = await count(world, expires_on)
    assert (told.code, done < MANY) == (0, True), told.said

    second = await started(evergreen)
    await due
    await eventually(lambda: renewed(world, MANY, expires_on), "all renewals are done")
    assert (await second.end()).code == 0

    orders = [o for o in world.vendor.control("GET", "/sandbox/orders") if o["license_key"] in keys]
    assert sorted(order["license_key"] for order in orders) == sorted(keys), "each license once"
    assert {order["repeats"] for order in orders} == {0}
    assert await troubles(world, ids) == []
    await asyncio.gather(
        *(world.client.get_workflow_handle(id_).terminate("the test is over") for id_ in ids)
    )


async def imported(world: World, evergreen: Program, folder: Path, expires_on: date) -> set[str]:
    """A hundred licenses whose renewals credits pay; their keys."""
    facts = {"product": "SmarterMail", "edition": "Professional", "size": "250", "addons": []}
    licenses: list[dict[str, Any]] = [
        facts | {"license_key": f"SM-SECRET-LOAD-{number:04}", "expires_on": str(expires_on)}
        for number in range(MANY)
    ]
    world.vendor.control("POST", "/sandbox/licenses", json=licenses)
    whose = {"customer_name": "Ann", "country": "JE", "currency": "GBP", "opening_credit": "300.00"}
    file = folder / "many.jsonl"
    lines = [
        json.dumps(license | whose | {"customer_email": f"load-{number}@example.com"})
        for number, license in enumerate(licenses)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    answer = await evergreen("import", str(file), "--json")
    assert answer.code == 0, answer.said
    return {license["license_key"] for license in licenses}


async def started(evergreen: Program) -> Running:
    """`python worker.py`, once it is ready."""
    port = ports.free()
    quiet = {
        "EVERGREEN_METRICS_PORT": "0",
        "EVERGREEN_HEALTH_PORT": str(port),
        "EVERGREEN_DRAIN_SECONDS": "20",
    }
    running = await evergreen.told(**quiet).worker().start()

    async def ready() -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            try:
                return (await http.get(f"http://127.0.0.1:{port}/readyz")).is_success
            except httpx.TransportError:
                return False

    await eventually(ready, "the worker is ready")
    return running


async def rows(world: World) -> list[Subscription]:
    async with world.sessions() as session:
        return list(await session.scalars(select(Subscription)))


async def count(world: World, expires_on: date) -> int:
    """How many subscriptions have left their first term."""
    async with world.sessions() as session:
        moved = select(func.count()).where(Subscription.expires_on != expires_on)
        return await session.scalar(moved) or 0


async def renewed(world: World, wanted: int, expires_on: date) -> bool:
    return await count(world, expires_on) >= wanted


async def troubles(world: World, ids: list[str]) -> list[str]:
    """What failed in any run of them, and activities that were begun more than once."""
    found = []
    for workflow_id in ids:
        for run in await runs_of(world.client, workflow_id):
            for event in run.events:
                if event.event_type in FAILED:
                    found.append(f"{workflow_id}: {FAILED[event.event_type]}: {event}")
                if event.activity_task_started_event_attributes.attempt > 1:
                    found.append(f"{workflow_id}: an activity was begun again: {event}")
    return found
