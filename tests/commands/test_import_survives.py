"""An import that is interrupted loses nothing and doubles nothing: it finishes, or leaves nothing (R26)."""

from __future__ import annotations

from sqlalchemy import text

from tests.commands import book
from tests.commands.tables import (
    NOTHING,
    counts,
    intake_of,
    started,
    until,
    waits_for_a_lock,
    workflows_of,
)

MANY = 450
"""Workflows are started two hundred at a time: a program is killed after the first of them."""

INTAKES_THAT_RUN = "WorkflowType = 'Intake' AND ExecutionStatus = 'Running'"


async def test_killed_while_it_stores_the_command_leaves_nothing(evergreen, folder, sessions, temporal):
    """All rows are one transaction; the workflow that was started before them gives up after an hour."""
    file = book.write(folder / "killed_storing.csv", [book.row(opening_credit="5.00") for _ in range(20)])
    before = await counts(sessions)

    async with sessions.begin() as holder:
        await holder.execute(
            text("LOCK TABLE credit_grants IN EXCLUSIVE MODE")
        )  # after licenses, before the end
        importing = await evergreen.start("import", file)
        await until(lambda: waits_for_a_lock(sessions), "the import stores")
        importing.kill()
        await importing.rest()

    async def is_rolled_back():
        async with sessions() as session:
            other = "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE '%credit_grants%' AND state <> 'idle'"
            return await session.scalar(text(f"{other} AND pid <> pg_backend_pid()")) == 0

    await until(is_rolled_back, "PostgreSQL notices")
    assert await counts(sessions) - before == NOTHING

    orphan = max([found.id async for found in temporal.list_workflows(INTAKES_THAT_RUN)])  # the newest
    described = await temporal.get_workflow_handle(orphan).describe()
    (pending,) = described.raw_description.pending_activities
    failure = pending.last_failure.application_failure_info
    assert failure.type == "IntakeNotStored"  # what an operator sees; after an hour it gives up
    await temporal.get_workflow_handle(orphan).terminate("its command was killed by a test")

    again = await evergreen("import", file, "--json")
    assert again.json["taken"] == 20
    assert (await counts(sessions) - before).grants == 20


async def test_killed_while_workflows_start_the_command_is_not_missed(evergreen, folder, sessions, temporal):
    """The durable import workflow goes on; importing again then changes nothing."""
    file = book.write(folder / "killed_starting.csv", [book.row() for _ in range(MANY)])
    before = await counts(sessions)

    importing = await evergreen.start("import", file)
    await until(lambda: started(sessions, file.name), "the first workflows run")
    importing.kill()
    assert (await importing.rest()).code == -9

    async def is_done():
        return (await intake_of(sessions, file.name)).state == "done"

    await until(is_done, "the import finishes")
    assert await workflows_of(sessions, temporal, file.name) == (MANY, MANY)
    assert (await counts(sessions) - before).licenses == MANY

    again = await evergreen("import", file, "--json")
    assert (again.json["taken"], again.json["unchanged"]) == (0, MANY)


async def test_killed_while_it_starts_workflows_the_worker_is_replaced_and_the_import_finishes(
    evergreen, stack, folder, sessions, temporal
):
    """The command waits; the next worker takes the import up where it was, and starts nothing twice."""
    file = book.write(folder / "killed_worker.csv", [book.row() for _ in range(MANY)])
    before = await counts(sessions)

    importing = await evergreen.start("import", file, "--json")
    await until(lambda: started(sessions, file.name), "the first workflows run")
    stack.programs["worker"].kill()
    assert await started(sessions, file.name) < MANY
    await stack.programs["worker"].start()
    answer = await importing.rest()

    assert (answer.code, answer.json["taken"]) == (0, MANY)
    assert await workflows_of(sessions, temporal, file.name) == (MANY, MANY)
    assert (await counts(sessions) - before).licenses == MANY
