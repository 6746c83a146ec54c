"""The composition root: builds engine, vendor and activities by hand, registers them, serves health, drains on SIGTERM.

    python worker.py

Exit codes: 0 after a drained stop; 2 settings are wrong or the database is behind; 3 a server cannot be reached.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import config
import connection
import health
import logs
from activities.billing import BillingActivities
from activities.collecting import CollectingActivities
from activities.decisions import DecisionActivities
from activities.intake import IntakeActivities
from activities.licensing import LicensingActivities
from activities.notices import NoticeActivities
from activities.ordering import OrderingActivities
from activities.refunding import RefundActivities
from activities.till import Till
from config import Settings
from db import schema
from db.session import engine_for, sessions_for
from domain.local_time import local_date
from domain.messages import TASK_QUEUE
from notices.sender import Sender
from notices.webhook_sender import WebhookSender
from payments.payment_provider import PaymentProvider
from vendor.http import HttpVendor
from vendor.license_vendor import LicenseVendor
from workflows.intake import Intake
from workflows.refund import CardRefundNews, Refund
from workflows.subscription import Subscription

OUR_MODULES = (
    "activities",
    "db",
    "domain",
    "vendor",
    "workflows",
    "pydantic",
    "sqlalchemy",
    "holidays",
    "httpx",
)
"""Imported once and shared by all workflows: making an instance is then three times cheaper. The sandbox does not see
into them, so a test of ours bans clocks and dice there (tests/architecture)."""

CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50)
"""More than activities run at once: waiting for a connection would count against a call's time-out."""

log = logging.getLogger("worker")


class NotReady(Exception):
    """The worker cannot start; the text says what is wrong and how to mend it."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def activities(
    settings: Settings,
    engine: AsyncEngine,
    client: Client,
    vendor: LicenseVendor,
    provider: PaymentProvider,
) -> list[Callable[..., Any]]:
    """Every activity, wired to what it depends on."""
    sessions = sessions_for(engine)
    catalogue = settings.price_list()
    till = Till(catalogue, settings.working_days(), settings.policy(), cards=settings.charges_cards)
    billing = BillingActivities(sessions, till)
    collecting = CollectingActivities(sessions, provider, till)
    ordering = OrderingActivities(sessions, till)
    refunding = RefundActivities(sessions, settings.zone)
    licensing = LicensingActivities(sessions, vendor, settings.key_ring(), settings.policy())
    decisions = DecisionActivities(sessions, client)
    notices = NoticeActivities(sessions, catalogue)
    intake = IntakeActivities(sessions, client, settings.policy())
    return [
        billing.settle,
        billing.lapse,
        billing.give_back,
        collecting.charge,
        collecting.refund_card,
        refunding.write_refund,
        ordering.order_addons,
        ordering.order_upgrade,
        ordering.pay_order,
        ordering.void_order,
        ordering.change_at_renewal,
        licensing.plan,
        licensing.update,
        licensing.begin_term,
        licensing.flag,
        licensing.warn,
        licensing.hand_over,
        licensing.take_report,
        licensing.record_update,
        licensing.end,
        decisions.receipt,
        decisions.write_down,
        decisions.refuse,
        notices.remind,
        intake.start_chunk,
        intake.finish,
    ]


def composed(settings: Settings, engine: AsyncEngine, client: Client, http: httpx.AsyncClient) -> Worker:
    """A worker with everything that it depends on, as this program runs it."""
    vendor = HttpVendor(
        settings.vendor_url,
        settings.vendor_token.get_secret_value(),
        timeout_seconds=settings.vendor_timeout_seconds,
        client=http,
    )
    provider = settings.payment_provider(http)
    return worker_for(client, activities(settings, engine, client, vendor, provider), settings)


def worker_for(client: Client, acts: Sequence[Callable[..., Any]], settings: Settings) -> Worker:
    """A worker for our one task queue."""
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Subscription, Intake, Refund, CardRefundNews],
        activities=acts,
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*OUR_MODULES)
        ),
        max_cached_workflows=settings.cached_workflows,
        graceful_shutdown_timeout=timedelta(seconds=settings.drain_seconds),
        identity=f"evergreen-{settings.build_id}@{os.getpid()}",
    )


async def check_database(engine: AsyncEngine) -> None:
    """Raise NotReady unless PostgreSQL answers and its schema is the one this code was written for."""
    try:
        current = await schema.current_revision(engine)
    except (OSError, DBAPIError) as failed:
        raise NotReady(
            f"PostgreSQL does not answer at {engine.url.render_as_string(hide_password=True)} ({failed}). "
            "Is it up? Is EVERGREEN_DATABASE_URL right?",
            exit_code=3,
        ) from failed
    if current != schema.head_revision():
        raise NotReady(
            f"the database is at migration {current or 'none'}, this code needs {schema.head_revision()}. "
            "Run `evergreen migrate` first; it is safe while old workers run.",
            exit_code=2,
        )


async def check_search_attributes(client: Client) -> None:
    """Raise NotReady unless the namespace knows our search attributes."""
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as failed:
        raise NotReady(
            f"the Temporal namespace {client.namespace!r} does not answer ({failed.message}). "
            "Is TEMPORAL_NAMESPACE right? Create it with `temporal operator namespace create`.",
            exit_code=3,
        ) from failed
    missing = {
        n: t for n, t in connection.search_attribute_types().items() if n not in known.custom_attributes
    }
    if missing:
        commands = "\n".join(
            f"  temporal operator search-attribute create --namespace {client.namespace} --name {name} --type {kind}"
            for name, kind in missing.items()
        )
        raise NotReady(
            f"the namespace lacks search attributes of ours; create them:\n{commands}", exit_code=2
        )


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then let what is under way finish. Raises NotReady, TemporalUnreachable."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        engine = engine_for(settings.database_url)
        stack.push_async_callback(engine.dispose)
        await check_database(engine)
        client = await connection.connect(runtime=_runtime(settings))
        await check_search_attributes(client)
        http = await stack.enter_async_context(httpx.AsyncClient(limits=CONNECTIONS))
        await stack.enter_async_context(composed(settings, engine, client, http))
        app = health.pages(
            lambda: health.what_is_wrong(engine, client), settings.build_id, lambda: warnings(settings)
        )
        await stack.enter_async_context(health.served(app, settings.health_host, settings.health_port))
        sender = settings.sender(sessions_for(engine))
        if sender is None:
            log.warning("no mail server is set (EVERGREEN_SMTP_HOST): letters wait in the outbox")
        else:
            await stack.enter_async_context(sending(sender))
        outside = await stack.enter_async_context(httpx.AsyncClient(limits=CONNECTIONS, trust_env=False))
        await stack.enter_async_context(sending(settings.webhook_sender(sessions_for(engine), outside)))
        for part, warning in warnings(settings).items():
            log.warning("%s: %s", part, warning)
        log.info("worker is up: build %s, task queue %s", settings.build_id, TASK_QUEUE)
        await stop.wait()
        log.info("stopping: no new work is taken, what is under way is finished")


def warnings(settings: Settings) -> dict[str, str]:
    """What will need somebody's attention, by part: the calendar of bank holidays may be about to end (R5)."""
    today = local_date(datetime.now(UTC), settings.zone)
    ending = settings.working_days().warning(today)
    return {} if ending is None else {"calendar": ending}


@asynccontextmanager
async def sending(sender: Sender | WebhookSender) -> AsyncIterator[None]:
    """Send what waits while the block runs, then let what is under way finish."""
    stop = asyncio.Event()
    task = asyncio.create_task(sender.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def _runtime(settings: Settings) -> Runtime | None:
    if not settings.metrics_port:
        return None
    address = f"{settings.health_host}:{settings.metrics_port}"
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))


def main() -> int:
    """Run the worker; the exit code."""
    try:
        settings = config.settings()
        logs.configure(settings.log_level, settings.log_format)
        asyncio.run(run(settings))
    except config.BadSettings as wrong:
        sys.stderr.write(f"worker: {wrong}\n")
        return 2
    except NotReady as wrong:
        sys.stderr.write(f"worker: {wrong}\n")
        return wrong.exit_code
    except connection.TemporalUnreachable as wrong:
        sys.stderr.write(f"worker: {wrong}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
