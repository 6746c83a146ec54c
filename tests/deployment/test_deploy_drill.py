"""The deploy drill of docs/deploying.md: a changed workflow under subscriptions that sleep, on the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

import connection
from db.session import engine_for
from tests.deployment.histories import runs_of
from tests.deployment.next_release import STEP, CarefullyChanged, CarelesslyChanged
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.world import OwnWorker, WorkerProgram
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.subscribed import Subscribed
from tests.money.world import World
from vendor.http import HttpVendor
from worker import WORKFLOWS, activities, sandboxed, worker_for

DEPLOYMENT = "evergreen"
NEXT = (CarefullyChanged, *WORKFLOWS[1:])
TASK_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
MARKED = EventType.EVENT_TYPE_MARKER_RECORDED


async def test_a_changed_workflow_is_deployed_under_subscriptions_that_sleep(
    book: Book, world: World, worker: OwnWorker, temporal: CommandLine
):
    """Old runs go on as they began, new ones use the new code, and at continue-as-new the old ones move over."""
    await worker.stop()
    version_1 = WorkerProgram(replace(world, variables={**world.variables, **version("1")}))
    await version_1.start()
    try:
        await make_current(temporal, "--build-id", "1")
        sleeping = await paid_ahead(book)
        assert await builds(sleeping) == [{"1"}]

        async with released(world, "2"):
            ordered_before = await paid_ahead(book)
            assert await builds(ordered_before) == [{"1"}], "version 2 is up, but not current"
            await make_current(temporal, "--build-id", "2")
            new = await paid_ahead(book)
            assert await builds(new) == [{"2"}]
            assert await took_the_step(new) == [True]

            version_1.kill()
            await sleeping.days_before_expiry(13)
            await sleeping.until_renewed()
            await eventually(lambda: in_run(sleeping, 2), "the next run began")

            assert await builds(sleeping) == [{"1", "2"}, {"2"}]
            assert await took_the_step(sleeping) == [False, True]
            assert sleeping.renewals() == sleeping.one_renewal
            for license in (sleeping, ordered_before, new):
                assert await failed_tasks(license) == []
            with pytest.raises(NondeterminismError):
                await replay(world, sleeping, CarelesslyChanged)
    finally:
        version_1.kill()
        await temporal(*SET_CURRENT, "--unversioned", "--allow-no-pollers", "--yes")


SET_CURRENT = ("worker", "deployment", "set-current-version", "--deployment-name", DEPLOYMENT)


def version(build_id: str) -> dict[str, str]:
    """The settings of a release."""
    return {"EVERGREEN_DEPLOYMENT": DEPLOYMENT, "EVERGREEN_BUILD_ID": build_id}


async def make_current(temporal: CommandLine, *build: str) -> None:
    """As it is typed; a version is known once its worker has polled."""

    async def done() -> bool:
        try:
            await temporal(*SET_CURRENT, *build, "--yes")
        except AssertionError:
            return False
        return True

    await eventually(done, f"{build} is current")


@asynccontextmanager
async def released(world: World, build_id: str) -> AsyncIterator[None]:
    """A worker of the next release, composed as worker.py composes it."""
    settings = world.settings.model_copy(update={"deployment": DEPLOYMENT, "build_id": build_id})
    engine = engine_for(settings.database_url)
    async with httpx.AsyncClient(trust_env=False) as http:
        vendor = HttpVendor(
            settings.vendor_url,
            settings.vendor_token.get_secret_value(),
            timeout_seconds=settings.vendor_timeout_seconds,
            client=http,
        )
        acts = activities(settings, engine, world.client, vendor, settings.payment_provider(http))
        async with worker_for(world.client, acts, settings, NEXT):
            yield
    await engine.dispose()


async def paid_ahead(book: Book) -> Subscribed:
    """A subscription whose next renewal credits pay, asleep until its first reminder."""
    license = await book.subscription()
    await license.customer.grant(300_00)

    async def asleep() -> bool:
        return bool(await builds(license)) and bool((await builds(license))[0])

    await eventually(asleep, f"{license.id} sleeps")
    return license


async def runs(license: Subscribed) -> list[WorkflowHistory]:
    """The histories of its runs, oldest first."""
    return await runs_of(license.world.client, license.workflow_id)


async def in_run(license: Subscribed, number: int) -> bool:
    """Whether that run has done its first task."""
    made = await builds(license)
    return len(made) >= number and bool(made[number - 1])


async def builds(license: Subscribed) -> list[set[str]]:
    """By which builds each run was carried on."""
    return [
        {
            event.workflow_task_completed_event_attributes.deployment_version.build_id
            for event in run.events
            if event.event_type == TASK_COMPLETED
        }
        for run in await runs(license)
    ]


async def took_the_step(license: Subscribed) -> list[bool]:
    """Whether each run has the step that the next release adds."""
    return [
        any(
            STEP in str(event.marker_recorded_event_attributes)
            for event in run.events
            if event.event_type == MARKED
        )
        for run in await runs(license)
    ]


async def failed_tasks(license: Subscribed) -> list[str]:
    """Workflow tasks that failed: something nondeterministic would."""
    return [
        str(event.workflow_task_failed_event_attributes)
        for run in await runs(license)
        for event in run.events
        if event.event_type == TASK_FAILED
    ]


async def replay(world: World, license: Subscribed, changed: type) -> None:
    """Replay its first run with that code, as the tests of every release do with recorded ones."""
    replayer = Replayer(
        workflows=[changed],
        workflow_runner=sandboxed(),
        data_converter=connection.converter(world.settings.payload_keys()),
    )
    await replayer.replay_workflow((await runs(license))[0])
