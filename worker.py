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
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import config
import connection
import health
import logs
import readiness
import schedule
from activities.billing import BillingActivities
from activities.collecting import CollectingActivities
from activities.decisions import DecisionActivities
from activities.intake import IntakeActivities
from activities.license_reconciliation import LicenseReconciliationActivities
from activities.licensing import LicensingActivities
from activities.notices import NoticeActivities
from activities.ordering import OrderingActivities
from activities.payment_reconciliation import PaymentReconciliationActivities
from activities.reconciliation import ReconciliationActivities
from activities.refunding import RefundActivities
from activities.till import Till
from config import Settings
from db.session import engine_for, sessions_for
from domain.local_time import local_date
from domain.messages import TASK_QUEUE
from notices.sender import Sender
from notices.webhook_sender import WebhookSender
from payments.payment_provider import PaymentProvider
from telemetry.gauges import Gauges, showing
from telemetry.log_lines import LogLines
from telemetry.mail_tally import MailTally
from telemetry.prometheus import runtime
from telemetry.switch import traced
from vendor.http import HttpVendor
from vendor.license_vendor import LicenseVendor
from workflows.intake import Intake
from workflows.reconciliation import Reconciliation
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
    "opentelemetry",
)
"""Imported once and shared by all workflows: making an instance is then three times cheaper. The sandbox does not see
into them, so a test of ours bans clocks and dice there (tests/architecture)."""

WORKFLOWS: tuple[type, ...] = (Subscription, Intake, Refund, CardRefundNews, Reconciliation)

CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50)
"""More than activities run at once: waiting for a connection would count against a call's time-out."""

log = logging.getLogger("worker")


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
    intake = IntakeActivities(sessions, client, settings.policy(), settings.starts_at_once)
    reconciliation = ReconciliationActivities(sessions, client, till)
    of_licenses = LicenseReconciliationActivities(
        sessions, vendor, settings.key_ring(), catalogue, settings.reconcile_vendor_per_second
    )
    of_payments = PaymentReconciliationActivities(sessions, client, collecting)
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
        of_payments.look_up_unsettled,
        of_payments.compare_payments,
        reconciliation.start_missing,
        reconciliation.find_strays,
        of_licenses.compare_licenses,
        reconciliation.look_at_rows,
        reconciliation.conclude,
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


def worker_for(
    client: Client,
    acts: Sequence[Callable[..., Any]],
    settings: Settings,
    workflows: Sequence[type] = WORKFLOWS,
) -> Worker:
    """A worker for our one task queue; a version of its deployment, where one is set."""
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=workflows,
        activities=acts,
        interceptors=[LogLines()],
        workflow_runner=sandboxed(),
        deployment_config=version_of(settings),
        max_cached_workflows=settings.cached_workflows,
        max_task_queue_activities_per_second=settings.outside_calls_per_second or None,
        graceful_shutdown_timeout=timedelta(seconds=settings.drain_seconds),
        identity=f"evergreen-{settings.build_id}@{os.getpid()}",
    )


def sandboxed() -> SandboxedWorkflowRunner:
    """How workflow code is run: in the SDK's sandbox, our own modules shared."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*OUR_MODULES)
    )


def version_of(settings: Settings) -> WorkerDeploymentConfig | None:
    """Which version of which deployment this worker is; None where none is set (docs/decisions/0016).

    Workflows go on with the current version at their next task, so code replays what older versions began.
    """
    if not settings.deployment:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then let what is under way finish. Raises NotReady, TemporalUnreachable."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        engine = engine_for(settings.database_url)
        stack.push_async_callback(engine.dispose)
        await readiness.check_database(engine)
        measured = runtime(settings.health_host, settings.metrics_port)
        traces = stack.enter_context(traced(settings.otlp_endpoint, "worker", settings.build_id))
        client = await connection.connect(
            settings.payload_keys(), [traces] if traces else [], runtime=measured
        )
        await readiness.check_search_attributes(client)
        await schedule.keep(client, settings.reconcile_at, settings.zone)
        http = await stack.enter_async_context(httpx.AsyncClient(limits=CONNECTIONS))
        if traces:
            traces.of_calls(http)
        await stack.enter_async_context(composed(settings, engine, client, http))
        app = health.pages(
            lambda: health.what_is_wrong(engine, client), settings.build_id, lambda: warnings(settings)
        )
        await stack.enter_async_context(health.served(app, settings.health_host, settings.health_port))
        gauges = Gauges(
            sessions_for(engine), measured.metric_meter, settings.zone, every_seconds=settings.gauge_seconds
        )
        await stack.enter_async_context(showing(gauges))
        sender = settings.sender(sessions_for(engine), MailTally(measured.metric_meter))
        if sender is None:
            log.warning("no mail server is set (EVERGREEN_SMTP_HOST): letters wait in the outbox")
        else:
            await stack.enter_async_context(sending(sender))
        outside = await stack.enter_async_context(httpx.AsyncClient(limits=CONNECTIONS, trust_env=False))
        await stack.enter_async_context(sending(settings.webhook_sender(sessions_for(engine), outside)))
        for part, warning in warnings(settings).items():
            log.warning("%s: %s", part, warning)
        log.info("worker is up: build %s, task queue %s", settings.build_id, TASK_QUEUE)
        if settings.deployment:
            log.info(
                "work comes once this version is current: temporal worker deployment set-current-version "
                "--deployment-name %s --build-id %s",
                settings.deployment,
                settings.build_id,
            )
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


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster event loop, where there is one: none is made for Windows."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def main() -> int:
    """Run the worker; the exit code."""
    try:
        settings = config.settings()
        logs.configure(settings.log_level, settings.log_format)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run(settings))
    except config.BadSettings as wrong:
        sys.stderr.write(f"worker: {wrong}\n")
        return 2
    except readiness.NotReady as wrong:
        sys.stderr.write(f"worker: {wrong}\n")
        return wrong.exit_code
    except connection.TemporalUnreachable as wrong:
        sys.stderr.write(f"worker: {wrong}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
