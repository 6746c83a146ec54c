from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import httpx
import psutil
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sandbox.temporal import USUAL_PORTS, TemporalServer

ANY_PORTS = dict.fromkeys(USUAL_PORTS, 0)
PRODUCT = SearchAttributeKey.for_keyword("Product")


@workflow.defn
class Patience:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(timedelta(days=365).total_seconds())


async def test_a_server_is_up_when_namespace_attributes_and_ui_are_there_on_loopback_only(folder):
    log = folder / "temporal.log"
    kinds = {"Product": "Keyword", "PromiseBroken": "Bool"}
    async with TemporalServer(None, log=log, search_attributes=kinds, usual_ports=ANY_PORTS) as server:
        client = await Client.connect(server.address)
        attributes = TypedSearchAttributes([SearchAttributePair(PRODUCT, "SmarterMail")])
        await client.start_workflow("Any", id="any", task_queue="none", search_attributes=attributes)

        assert httpx.get(server.ui_url).is_success
        connections = psutil.Process(server.program.pid).net_connections(kind="inet")
        assert {found.laddr.ip for found in connections} == {"127.0.0.1"}


async def test_workflows_survive_a_kill_at_the_same_address(folder):
    file = folder / "data" / "temporal.db"
    async with TemporalServer(file, log=folder / "temporal.log", usual_ports=ANY_PORTS) as server:
        client = await Client.connect(server.address)
        handle = await client.start_workflow("Any", id="any", task_queue="none")
        address = server.address
        server.kill()
        await server.start()

        assert server.address == address
        assert (await handle.describe()).workflow_type == "Any"


async def test_a_year_passes_at_once_where_time_may_be_skipped(folder):
    log = folder / "temporal.log"
    async with TemporalServer(None, log=log, time_skipping=True, usual_ports=ANY_PORTS) as server:
        client = await Client.connect(server.address)
        skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
        runner = UnsandboxedWorkflowRunner()
        async with Worker(client, task_queue="q", workflows=[Patience], workflow_runner=runner):
            handle = await skipper.client.start_workflow(Patience.run, id="patience", task_queue="q")
            await skipper.fast_forward(handle, timedelta(days=366))
            await asyncio.wait_for(handle.result(), 10)


async def test_a_usual_port_that_is_taken_is_left_for_a_free_one(folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = {"port": taken, "ui_port": 0}
        async with TemporalServer(None, log=folder / "temporal.log", usual_ports=ports) as server:
            assert server.ports["port"] != taken
            await Client.connect(server.address)
