"""The worker as a program: what it says when it cannot start, and how it ends."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta

import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import text
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest

from connection import search_attribute_types
from db import schema
from db.session import engine_for
from domain.local_time import local_instant
from domain.messages import subscription_workflow_id
from sandbox import ports
from tests.commands import book
from tests.commands.tables import subscription_of, until

NOWHERE = "127.0.0.1:1"
SETTINGS = {"EVERGREEN_SECRET_KEYS": "", "EVERGREEN_NOTICE_DAYS": "soon", "EVERGREEN_LOG_LEVEL": "loud"}


@pytest.fixture
def worker(evergreen, variables):
    """`python worker.py` on the stack; no metrics, health on any free port."""
    quiet = {"EVERGREEN_METRICS_PORT": "0", "EVERGREEN_HEALTH_PORT": "0"}
    return evergreen.told(**variables).told(**quiet).worker()


async def test_a_worker_that_cannot_start_says_what_is_wrong_and_how_to_mend_it(worker, stack, temporal):
    """Exit codes as the module's docstring has them: 2 settings or database, 3 a server cannot be reached."""
    await temporal.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace="bare", workflow_execution_retention_period=Duration(seconds=86400)
        )
    )
    empty = await stack.postgres.create_database("unmigrated")
    behind = await stack.postgres.create_database("behind", template="template1")
    await go_back(behind)

    wrong_address, wrong_namespace, bare, no_postgres, unmigrated, old, settings = await asyncio.gather(
        worker.told(TEMPORAL_ADDRESS=NOWHERE)(),
        worker.told(TEMPORAL_NAMESPACE="nowhere")(),
        worker.told(TEMPORAL_NAMESPACE="bare")(),
        worker.told(EVERGREEN_DATABASE_URL=f"postgresql://jo:hush@{NOWHERE}/evergreen")(),
        worker.told(EVERGREEN_DATABASE_URL=empty)(),
        worker.told(EVERGREEN_DATABASE_URL=behind)(),
        worker.told(**SETTINGS)(),
    )

    assert wrong_address.code == 3
    assert f"no Temporal server answers at {NOWHERE}" in wrong_address.said
    assert "make up" in wrong_address.said

    assert wrong_namespace.code == 3
    assert "namespace 'nowhere'" in wrong_namespace.said
    assert "temporal operator namespace create" in wrong_namespace.said

    assert bare.code == 2
    for name, kind in search_attribute_types().items():
        create = f"temporal operator search-attribute create --namespace bare --name {name} --type {kind}"
        assert create in bare.said

    assert no_postgres.code == 3
    assert "PostgreSQL does not answer" in no_postgres.said
    assert "Is EVERGREEN_DATABASE_URL right?" in no_postgres.said
    assert "hush" not in no_postgres.said

    assert unmigrated.code == old.code == 2
    assert "the database is at migration none" in unmigrated.said
    assert "the database is at migration 0003" in old.said
    assert "evergreen migrate" in old.said

    assert settings.code == 2
    assert all(name in settings.said for name in ("EVERGREEN_NOTICE_DAYS", "EVERGREEN_LOG_LEVEL"))

    told = (wrong_address, wrong_namespace, bare, no_postgres, unmigrated, old, settings)
    assert not [answer.said for answer in told if "Traceback" in answer.said]


async def go_back(url):
    """Migrate a database and let it say that it is older."""
    engine = engine_for(url)
    await schema.upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    await engine.dispose()


async def test_on_sigterm_the_worker_finishes_what_is_under_way_and_ends_with_0(
    worker, evergreen, stack, sessions, folder, clocks
):
    """R25: the vendor is slow, the worker is told to stop meanwhile, and the license is updated once."""
    row = book.row(expires_on=str(book.today() + timedelta(days=30)), opening_credit="1000.00")
    at_vendor = {
        "addons": [],
        **{k: row[k] for k in ("license_key", "product", "edition", "size", "expires_on")},
    }
    vendor = stack.addresses.urls["vendor"]
    httpx.post(f"{vendor}/sandbox/licenses", json=[at_vendor]).raise_for_status()
    await evergreen("import", book.write(folder / "drained.csv", [row]))
    subscription = await subscription_of(sessions, row)
    slow = {"kind": "slow", "seconds": 2, "license_key": row["license_key"], "on": ["order"], "times": 1}
    httpx.post(f"{vendor}/sandbox/faults", json=slow).raise_for_status()

    await stack.programs["worker"].stop()
    port = ports.free()
    draining = await worker.told(EVERGREEN_HEALTH_PORT=str(port)).start()
    try:
        await until(lambda: is_ready(port), "the worker is ready")
        renewal_date = local_instant(book.today() + timedelta(days=16), time(12), "Europe/London")
        renewing = asyncio.create_task(clocks.advance(subscription_workflow_id(subscription), renewal_date))
        await until(lambda: is_asked(stack, slow), "the vendor is asked")
        ended = await draining.end()
    finally:
        await stack.programs["worker"].start()
    await renewing

    assert ended.code == 0, ended.said
    assert "stopping: no new work is taken" in ended.said

    async def is_renewed():
        shown = (await evergreen("show", subscription, "--json")).json
        return shown["state"] == "active" and shown["starts_on"] == str(book.today() + timedelta(days=31))

    await until(is_renewed, "the next worker goes on")
    placed = [
        o for o in httpx.get(f"{vendor}/sandbox/orders").json() if o["license_key"] == row["license_key"]
    ]
    assert [order["repeats"] for order in placed] == [0]


async def is_ready(port):
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def is_asked(stack, fault):
    """Whether the fault has struck: the vendor then lists it no more."""
    async with httpx.AsyncClient() as http:
        standing = (await http.get(f"{stack.addresses.urls['vendor']}/sandbox/faults")).json()
    return not [found for found in standing if found["license_key"] == fault["license_key"]]
